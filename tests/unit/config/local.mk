unit_config_kit = tests/unit/config/kit.c tests/unit/config/kit.h

check_PROGRAMS += tests/unit/config/broken
tests_unit_config_broken_SOURCES = tests/unit/config/broken.c $(unit_config_kit)
tests_unit_config_broken_LDFLAGS = $(ldflags_unit)
tests_unit_config_broken_LDADD = $(ldadd_unit)
tests_unit_config_broken_DEPENDENCIES = src/libroamgate.a

check_PROGRAMS += tests/unit/config/certificates
tests_unit_config_certificates_SOURCES = tests/unit/config/certificates.c $(unit_config_kit)
tests_unit_config_certificates_LDFLAGS = $(ldflags_unit)
tests_unit_config_certificates_LDADD = $(ldadd_unit)
tests_unit_config_certificates_DEPENDENCIES = src/libroamgate.a

check_PROGRAMS += tests/unit/config/commands
tests_unit_config_commands_SOURCES = tests/unit/config/commands.c $(unit_config_kit)
tests_unit_config_commands_LDFLAGS = $(ldflags_unit)
tests_unit_config_commands_LDADD = $(ldadd_unit)
tests_unit_config_commands_DEPENDENCIES = src/libroamgate.a

check_PROGRAMS += tests/unit/config/good
tests_unit_config_good_SOURCES = tests/unit/config/good.c $(unit_config_kit)
tests_unit_config_good_LDFLAGS = $(ldflags_unit)
tests_unit_config_good_LDADD = $(ldadd_unit)
tests_unit_config_good_DEPENDENCIES = src/libroamgate.a

check_PROGRAMS += tests/unit/config/large
tests_unit_config_large_SOURCES = tests/unit/config/large.c $(unit_config_kit)
tests_unit_config_large_LDFLAGS = $(ldflags_unit)
tests_unit_config_large_LDADD = $(ldadd_unit)
tests_unit_config_large_DEPENDENCIES = src/libroamgate.a

check_PROGRAMS += tests/unit/config/memory
tests_unit_config_memory_SOURCES = tests/unit/config/memory.c $(unit_config_kit)
tests_unit_config_memory_LDFLAGS = $(ldflags_unit)
tests_unit_config_memory_LDADD = $(ldadd_unit)
tests_unit_config_memory_DEPENDENCIES = src/libroamgate.a

check_PROGRAMS += tests/unit/config/radsec
tests_unit_config_radsec_SOURCES = tests/unit/config/radsec.c $(unit_config_kit)
tests_unit_config_radsec_LDFLAGS = $(ldflags_unit)
tests_unit_config_radsec_LDADD = $(ldadd_unit)
tests_unit_config_radsec_DEPENDENCIES = src/libroamgate.a

# A script, so it is no check_PROGRAM.
TESTS += tests/unit/config/reference
EXTRA_DIST += tests/unit/config/reference

check_PROGRAMS += tests/unit/config/discovery
tests_unit_config_discovery_SOURCES = tests/unit/config/discovery.c $(unit_config_kit)
tests_unit_config_discovery_LDFLAGS = $(ldflags_unit)
tests_unit_config_discovery_LDADD = $(ldadd_unit)
tests_unit_config_discovery_DEPENDENCIES = src/libroamgate.a
