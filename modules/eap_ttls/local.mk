pkglib_LTLIBRARIES += modules/eap_ttls/eap_ttls.la
modules_eap_ttls_eap_ttls_la_SOURCES = modules/eap_ttls/eap_ttls.c \
	modules/eap_ttls/phase2.c modules/eap_ttls/phase2.h
modules_eap_ttls_eap_ttls_la_LDFLAGS = $(ldflags_module)
modules_eap_ttls_eap_ttls_la_LIBADD =
EXTRA_DIST += modules/eap_ttls/README.md
