unit_config_kit = tests/unit/config/kit.c tests/unit/config/kit.h

check_PROGRAMS += tests/unit/config/broken
tests_unit_config_broken_SOURCES = tests/unit/config/broken.c $(unit_config_kit)
tests_unit_config_broken_LDFLAGS = $(ldflags_unit)
tests_unit_config_broken_LDADD = $(ldadd_unit)
tests_unit_config_broken_DEPENDENCIES = src/libroamgate.a
