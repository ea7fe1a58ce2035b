# Not a test by itself: tests/interop/test_directory.py asks with it.
noinst_PROGRAMS += tests/unit/directory/ask
tests_unit_directory_ask_SOURCES = tests/unit/directory/ask.c
tests_unit_directory_ask_LDFLAGS = $(ldflags_unit)
tests_unit_directory_ask_LDADD = $(libs_all)
tests_unit_directory_ask_DEPENDENCIES = src/libroamgate.a
