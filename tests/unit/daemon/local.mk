check_PROGRAMS += tests/unit/daemon/control
tests_unit_daemon_control_SOURCES = tests/unit/daemon/control.c
tests_unit_daemon_control_LDFLAGS = $(ldflags_unit)
tests_unit_daemon_control_LDADD = $(ldadd_unit)
tests_unit_daemon_control_DEPENDENCIES = src/libroamgate.a
