pkglib_LTLIBRARIES += modules/eap_tls/eap_tls.la
modules_eap_tls_eap_tls_la_SOURCES = modules/eap_tls/eap_tls.c
modules_eap_tls_eap_tls_la_LDFLAGS = $(ldflags_module)
modules_eap_tls_eap_tls_la_LIBADD =
EXTRA_DIST += modules/eap_tls/README.md
