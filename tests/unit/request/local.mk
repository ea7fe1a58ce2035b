check_PROGRAMS += tests/unit/request/window
tests_unit_request_window_SOURCES = tests/unit/request/window.c
tests_unit_request_window_LDFLAGS = $(ldflags_unit)
tests_unit_request_window_LDADD = $(ldadd_unit)
tests_unit_request_window_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/request/path
tests_unit_request_path_SOURCES = tests/unit/request/path.c tests/unit/request/gate.c \
	tests/unit/request/gate.h $(unit_config_kit)
tests_unit_request_path_LDFLAGS = $(ldflags_unit)
tests_unit_request_path_LDADD = $(ldadd_unit)
tests_unit_request_path_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/request/home
tests_unit_request_home_SOURCES = tests/unit/request/home.c tests/unit/request/gate.c \
	tests/unit/request/gate.h $(unit_config_kit)
tests_unit_request_home_LDFLAGS = $(ldflags_unit)
tests_unit_request_home_LDADD = $(ldadd_unit)
tests_unit_request_home_DEPENDENCIES = src/libroamgate.a
