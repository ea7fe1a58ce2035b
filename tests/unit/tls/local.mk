check_PROGRAMS += tests/unit/tls/certificate
tests_unit_tls_certificate_SOURCES = tests/unit/tls/certificate.c
tests_unit_tls_certificate_LDFLAGS = $(ldflags_unit)
tests_unit_tls_certificate_LDADD = tests/unit/eap/libtls.a $(ldadd_unit)
tests_unit_tls_certificate_DEPENDENCIES = src/libroamgate.a tests/unit/eap/libtls.a
