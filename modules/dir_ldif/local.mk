EXTRA_DIST += modules/dir_ldif/README.md
pkglib_LTLIBRARIES += modules/dir_ldif/dir_ldif.la
modules_dir_ldif_dir_ldif_la_SOURCES = \
	modules/dir_ldif/dir_ldif.c modules/dir_ldif/dir_ldif.h \
	modules/dir_ldif/directory.c \
	modules/dir_ldif/judge.c modules/dir_ldif/judge.h \
	modules/dir_ldif/match.c modules/dir_ldif/match.h \
	modules/dir_ldif/password.c modules/dir_ldif/password.h \
	modules/dir_ldif/store.c modules/dir_ldif/store.h
modules_dir_ldif_dir_ldif_la_LDFLAGS = $(ldflags_module)
modules_dir_ldif_dir_ldif_la_LIBADD = $(LDAP_LIBS) -lcrypt
