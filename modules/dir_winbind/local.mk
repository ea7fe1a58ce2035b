EXTRA_DIST += modules/dir_winbind/README.md
if HAVE_WBCLIENT
pkglib_LTLIBRARIES += modules/dir_winbind/dir_winbind.la
endif
# It looks people up as dir_ldap does, with the same code.
modules_dir_winbind_dir_winbind_la_SOURCES = \
	modules/dir_winbind/dir_winbind.c modules/dir_winbind/dir_winbind.h \
	modules/dir_winbind/directory.c \
	modules/dir_winbind/refusal.c modules/dir_winbind/refusal.h \
	modules/dir_winbind/verifier.c modules/dir_winbind/verifier.h \
	modules/dir_ldap/bind.c modules/dir_ldap/connect.c modules/dir_ldap/directory.c \
	modules/dir_ldap/entry.c modules/dir_ldap/gather.c modules/dir_ldap/job.c modules/dir_ldap/link.c modules/dir_ldap/plan.c \
	modules/dir_ldap/refusal.c modules/dir_ldap/server.c modules/dir_ldap/settings.c \
	modules/dir_ldap/task.c modules/dir_ldap/wipe.c
modules_dir_winbind_dir_winbind_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) $(WBCLIENT_CFLAGS)
modules_dir_winbind_dir_winbind_la_LDFLAGS = $(ldflags_module)
modules_dir_winbind_dir_winbind_la_LIBADD = $(LDAP_LIBS) $(WBCLIENT_LIBS)
