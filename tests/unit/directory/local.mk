check_PROGRAMS += \
	tests/unit/directory/broker \
	tests/unit/directory/filter \
	tests/unit/directory/gather \
	tests/unit/directory/group \
	tests/unit/directory/ldif \
	tests/unit/directory/nt_hash \
	tests/unit/directory/refusal \
	tests/unit/directory/server \
	tests/unit/directory/sid \
	tests/unit/directory/status
shortage = tests/unit/directory/shortage.c tests/unit/directory/shortage.h
tests_unit_directory_broker_SOURCES = tests/unit/directory/broker.c tests/unit/directory/support.h
tests_unit_directory_broker_LDFLAGS = $(ldflags_unit)
tests_unit_directory_broker_LDADD = $(ldadd_unit)
tests_unit_directory_broker_DEPENDENCIES = src/libroamgate.a
tests_unit_directory_filter_SOURCES = tests/unit/directory/filter.c tests/unit/directory/support.h
tests_unit_directory_filter_LDFLAGS = $(ldflags_unit)
tests_unit_directory_filter_LDADD = $(ldadd_unit)
tests_unit_directory_filter_DEPENDENCIES = src/libroamgate.a
tests_unit_directory_group_SOURCES = tests/unit/directory/group.c $(shortage)
tests_unit_directory_group_LDFLAGS = $(ldflags_unit)
tests_unit_directory_group_LDADD = $(ldadd_unit)
tests_unit_directory_group_DEPENDENCIES = src/libroamgate.a
# Parts of modules that need no server.
tests_unit_directory_gather_SOURCES = tests/unit/directory/gather.c modules/dir_ldap/gather.c
tests_unit_directory_gather_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_directory_gather_LDFLAGS = $(ldflags_unit)
tests_unit_directory_gather_LDADD = $(ldadd_unit)
tests_unit_directory_gather_DEPENDENCIES = src/libroamgate.a
tests_unit_directory_ldif_SOURCES = tests/unit/directory/ldif.c tests/unit/directory/support.h $(shortage) \
	modules/dir_ldif/match.c modules/dir_ldif/password.c modules/dir_ldif/store.c
tests_unit_directory_ldif_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_directory_ldif_LDFLAGS = $(ldflags_unit)
tests_unit_directory_ldif_LDADD = $(ldadd_unit) -lcrypt
tests_unit_directory_ldif_DEPENDENCIES = src/libroamgate.a
tests_unit_directory_nt_hash_SOURCES = tests/unit/directory/nt_hash.c tests/unit/directory/support.h $(shortage)
tests_unit_directory_nt_hash_LDFLAGS = $(ldflags_unit)
tests_unit_directory_nt_hash_LDADD = $(ldadd_unit)
tests_unit_directory_nt_hash_DEPENDENCIES = src/libroamgate.a
tests_unit_directory_refusal_SOURCES = tests/unit/directory/refusal.c tests/unit/directory/support.h \
	modules/dir_ldap/refusal.c
tests_unit_directory_refusal_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_directory_refusal_LDFLAGS = $(ldflags_unit)
tests_unit_directory_refusal_LDADD = $(ldadd_unit)
tests_unit_directory_refusal_DEPENDENCIES = src/libroamgate.a
tests_unit_directory_server_SOURCES = tests/unit/directory/server.c tests/unit/directory/support.h \
	modules/dir_ldap/server.c
tests_unit_directory_server_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_directory_server_LDFLAGS = $(ldflags_unit)
tests_unit_directory_server_LDADD = $(ldadd_unit)
tests_unit_directory_server_DEPENDENCIES = src/libroamgate.a
tests_unit_directory_sid_SOURCES = tests/unit/directory/sid.c tests/unit/directory/support.h
tests_unit_directory_sid_LDFLAGS = $(ldflags_unit)
tests_unit_directory_sid_LDADD = $(ldadd_unit)
tests_unit_directory_sid_DEPENDENCIES = src/libroamgate.a
tests_unit_directory_status_SOURCES = tests/unit/directory/status.c tests/unit/directory/support.h \
	modules/dir_winbind/refusal.c
tests_unit_directory_status_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_directory_status_LDFLAGS = $(ldflags_unit)
tests_unit_directory_status_LDADD = $(ldadd_unit)
tests_unit_directory_status_DEPENDENCIES = src/libroamgate.a

# Not a test by itself: tests/interop/test_directory.py asks with it.
noinst_PROGRAMS += tests/unit/directory/ask
tests_unit_directory_ask_SOURCES = tests/unit/directory/ask.c
tests_unit_directory_ask_LDFLAGS = $(ldflags_unit)
tests_unit_directory_ask_LDADD = $(libs_all)
tests_unit_directory_ask_DEPENDENCIES = src/libroamgate.a
