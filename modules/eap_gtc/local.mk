pkglib_LTLIBRARIES += modules/eap_gtc/eap_gtc.la
modules_eap_gtc_eap_gtc_la_SOURCES = modules/eap_gtc/eap_gtc.c
modules_eap_gtc_eap_gtc_la_LDFLAGS = $(ldflags_module)
modules_eap_gtc_eap_gtc_la_LIBADD =
EXTRA_DIST += modules/eap_gtc/README.md
