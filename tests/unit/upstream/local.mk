check_PROGRAMS += tests/unit/upstream/compose
tests_unit_upstream_compose_SOURCES = tests/unit/upstream/compose.c
tests_unit_upstream_compose_LDFLAGS = $(ldflags_unit)
tests_unit_upstream_compose_LDADD = $(ldadd_unit)
tests_unit_upstream_compose_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/upstream/upstream
tests_unit_upstream_upstream_SOURCES = tests/unit/upstream/upstream.c tests/unit/upstream/scene.c \
	tests/unit/upstream/scene.h
tests_unit_upstream_upstream_LDFLAGS = $(ldflags_unit)
tests_unit_upstream_upstream_LDADD = $(ldadd_unit)
tests_unit_upstream_upstream_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/upstream/pool
tests_unit_upstream_pool_SOURCES = tests/unit/upstream/pool.c tests/unit/upstream/scene.c \
	tests/unit/upstream/scene.h
tests_unit_upstream_pool_LDFLAGS = $(ldflags_unit)
tests_unit_upstream_pool_LDADD = $(ldadd_unit)
tests_unit_upstream_pool_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/upstream/found
tests_unit_upstream_found_SOURCES = tests/unit/upstream/found.c tests/unit/upstream/scene.c \
	tests/unit/upstream/scene.h
tests_unit_upstream_found_LDFLAGS = $(ldflags_unit)
tests_unit_upstream_found_LDADD = $(ldadd_unit)
tests_unit_upstream_found_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/upstream/affinity
tests_unit_upstream_affinity_SOURCES = tests/unit/upstream/affinity.c
tests_unit_upstream_affinity_LDFLAGS = $(ldflags_unit)
tests_unit_upstream_affinity_LDADD = $(ldadd_unit)
tests_unit_upstream_affinity_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/upstream/stats
tests_unit_upstream_stats_SOURCES = tests/unit/upstream/stats.c
tests_unit_upstream_stats_LDFLAGS = $(ldflags_unit)
tests_unit_upstream_stats_LDADD = $(ldadd_unit)
tests_unit_upstream_stats_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/upstream/line
tests_unit_upstream_line_SOURCES = tests/unit/upstream/line.c tests/unit/upstream/scene.c \
	tests/unit/upstream/scene.h
tests_unit_upstream_line_LDFLAGS = $(ldflags_unit)
tests_unit_upstream_line_LDADD = $(ldadd_unit)
tests_unit_upstream_line_DEPENDENCIES = src/libroamgate.a
