check_PROGRAMS += tests/unit/route/nai
tests_unit_route_nai_SOURCES = tests/unit/route/nai.c
tests_unit_route_nai_LDFLAGS = $(ldflags_unit)
tests_unit_route_nai_LDADD = $(ldadd_unit)
tests_unit_route_nai_DEPENDENCIES = src/libroamgate.a

check_PROGRAMS += tests/unit/route/table
tests_unit_route_table_SOURCES = tests/unit/route/table.c
tests_unit_route_table_LDFLAGS = $(ldflags_unit)
tests_unit_route_table_LDADD = $(ldadd_unit)
tests_unit_route_table_DEPENDENCIES = src/libroamgate.a
