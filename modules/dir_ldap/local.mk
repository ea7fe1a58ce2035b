pkglib_LTLIBRARIES += modules/dir_ldap/dir_ldap.la
modules_dir_ldap_dir_ldap_la_SOURCES = modules/dir_ldap/dir_ldap.c
modules_dir_ldap_dir_ldap_la_LDFLAGS = $(ldflags_module)
modules_dir_ldap_dir_ldap_la_LIBADD =
