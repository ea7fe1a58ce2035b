check_PROGRAMS += tests/unit/command/show
tests_unit_command_show_SOURCES = tests/unit/command/show.c
tests_unit_command_show_LDFLAGS = $(ldflags_unit)
tests_unit_command_show_LDADD = $(ldadd_unit)
tests_unit_command_show_DEPENDENCIES = src/libroamgate.a
