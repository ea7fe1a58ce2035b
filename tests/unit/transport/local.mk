check_PROGRAMS += tests/unit/transport/http
tests_unit_transport_http_SOURCES = tests/unit/transport/http.c
tests_unit_transport_http_LDFLAGS = $(ldflags_unit)
tests_unit_transport_http_LDADD = $(ldadd_unit)
tests_unit_transport_http_DEPENDENCIES = src/libroamgate.a
