check_PROGRAMS += tests/unit/request/window
tests_unit_request_window_SOURCES = tests/unit/request/window.c
tests_unit_request_window_LDFLAGS = $(ldflags_unit)
tests_unit_request_window_LDADD = $(ldadd_unit)
tests_unit_request_window_DEPENDENCIES = src/libroamgate.a
