check_PROGRAMS +=
# Tests of the TLS engine: each with a realm and a supplicant in memory.
tls_test_support = tests/unit/eap/pki.c tests/unit/eap/pki.h tests/unit/eap/peer.c tests/unit/eap/peer.h \
	modules/eap_tls/eap_tls.c
check_PROGRAMS += tests/unit/eap/tls
tests_unit_eap_tls_SOURCES = tests/unit/eap/tls.c $(tls_test_support)
tests_unit_eap_tls_LDFLAGS = $(ldflags_unit)
tests_unit_eap_tls_LDADD = $(ldadd_unit)
tests_unit_eap_tls_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/eap/tls_refusals
tests_unit_eap_tls_refusals_SOURCES = tests/unit/eap/tls_refusals.c $(tls_test_support)
tests_unit_eap_tls_refusals_LDFLAGS = $(ldflags_unit)
tests_unit_eap_tls_refusals_LDADD = $(ldadd_unit)
tests_unit_eap_tls_refusals_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/eap/tls_broken
tests_unit_eap_tls_broken_SOURCES = tests/unit/eap/tls_broken.c $(tls_test_support)
tests_unit_eap_tls_broken_LDFLAGS = $(ldflags_unit)
tests_unit_eap_tls_broken_LDADD = $(ldadd_unit)
tests_unit_eap_tls_broken_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/eap/tls_ocsp
tests_unit_eap_tls_ocsp_SOURCES = tests/unit/eap/tls_ocsp.c tests/unit/eap/responder.c tests/unit/eap/responder.h $(tls_test_support)
tests_unit_eap_tls_ocsp_LDFLAGS = $(ldflags_unit)
tests_unit_eap_tls_ocsp_LDADD = $(ldadd_unit)
tests_unit_eap_tls_ocsp_DEPENDENCIES = src/libroamgate.a
