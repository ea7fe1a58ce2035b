pkglib_LTLIBRARIES += modules/eap_peap/eap_peap.la
modules_eap_peap_eap_peap_la_SOURCES = modules/eap_peap/eap_peap.c \
	modules/eap_peap/extensions.c modules/eap_peap/extensions.h
modules_eap_peap_eap_peap_la_LDFLAGS = $(ldflags_module)
modules_eap_peap_eap_peap_la_LIBADD =
EXTRA_DIST += modules/eap_peap/README.md
