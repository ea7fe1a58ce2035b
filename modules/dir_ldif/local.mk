pkglib_LTLIBRARIES += modules/dir_ldif/dir_ldif.la
modules_dir_ldif_dir_ldif_la_SOURCES = modules/dir_ldif/dir_ldif.c
modules_dir_ldif_dir_ldif_la_LDFLAGS = $(ldflags_module)
modules_dir_ldif_dir_ldif_la_LIBADD =
