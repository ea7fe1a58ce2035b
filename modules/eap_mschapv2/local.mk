pkglib_LTLIBRARIES += modules/eap_mschapv2/eap_mschapv2.la
modules_eap_mschapv2_eap_mschapv2_la_SOURCES = modules/eap_mschapv2/eap_mschapv2.c
modules_eap_mschapv2_eap_mschapv2_la_LDFLAGS = $(ldflags_module)
modules_eap_mschapv2_eap_mschapv2_la_LIBADD =
EXTRA_DIST += modules/eap_mschapv2/README.md
