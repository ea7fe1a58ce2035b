EXTRA_DIST += modules/dir_ldap/README.md
pkglib_LTLIBRARIES += modules/dir_ldap/dir_ldap.la
modules_dir_ldap_dir_ldap_la_SOURCES = \
	modules/dir_ldap/bind.c \
	modules/dir_ldap/connect.c modules/dir_ldap/connect.h \
	modules/dir_ldap/dir_ldap.c modules/dir_ldap/dir_ldap.h \
	modules/dir_ldap/directory.c modules/dir_ldap/directory.h \
	modules/dir_ldap/entry.c \
	modules/dir_ldap/gather.c modules/dir_ldap/gather.h modules/dir_ldap/job.c \
	modules/dir_ldap/link.c \
	modules/dir_ldap/plan.c \
	modules/dir_ldap/refusal.c modules/dir_ldap/refusal.h \
	modules/dir_ldap/rows.h \
	modules/dir_ldap/server.c modules/dir_ldap/server.h \
	modules/dir_ldap/settings.c modules/dir_ldap/settings.h \
	modules/dir_ldap/task.c \
	modules/dir_ldap/wipe.c modules/dir_ldap/wipe.h
modules_dir_ldap_dir_ldap_la_LDFLAGS = $(ldflags_module)
modules_dir_ldap_dir_ldap_la_LIBADD = $(LDAP_LIBS)
