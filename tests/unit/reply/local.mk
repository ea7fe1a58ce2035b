check_PROGRAMS += tests/unit/reply/reply
tests_unit_reply_reply_SOURCES = tests/unit/reply/reply.c
tests_unit_reply_reply_LDFLAGS = $(ldflags_unit)
tests_unit_reply_reply_LDADD = $(ldadd_unit)
tests_unit_reply_reply_DEPENDENCIES = src/libroamgate.a
