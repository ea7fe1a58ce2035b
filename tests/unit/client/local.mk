check_PROGRAMS += tests/unit/client/table
tests_unit_client_table_SOURCES = tests/unit/client/table.c
tests_unit_client_table_LDFLAGS = $(ldflags_unit)
tests_unit_client_table_LDADD = $(ldadd_unit)
tests_unit_client_table_DEPENDENCIES = src/libroamgate.a
