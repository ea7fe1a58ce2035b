check_PROGRAMS += \
	tests/unit/core/arena \
	tests/unit/core/chores \
	tests/unit/core/entropy \
	tests/unit/core/mailbox \
	tests/unit/core/once \
	tests/unit/core/slab \
	tests/unit/core/span \
	tests/unit/core/text \
	tests/unit/core/timer
tests_unit_core_arena_SOURCES = tests/unit/core/arena.c
tests_unit_core_arena_LDFLAGS = $(ldflags_unit)
tests_unit_core_arena_LDADD = $(ldadd_unit)
tests_unit_core_arena_DEPENDENCIES = src/libroamgate.a
tests_unit_core_chores_SOURCES = tests/unit/core/chores.c
tests_unit_core_chores_LDFLAGS = $(ldflags_unit)
tests_unit_core_chores_LDADD = $(ldadd_unit)
tests_unit_core_chores_DEPENDENCIES = src/libroamgate.a
tests_unit_core_entropy_SOURCES = tests/unit/core/entropy.c
tests_unit_core_entropy_LDFLAGS = $(ldflags_unit)
tests_unit_core_entropy_LDADD = $(ldadd_unit)
tests_unit_core_entropy_DEPENDENCIES = src/libroamgate.a
tests_unit_core_mailbox_SOURCES = tests/unit/core/mailbox.c
tests_unit_core_mailbox_LDFLAGS = $(ldflags_unit)
tests_unit_core_mailbox_LDADD = $(ldadd_unit)
tests_unit_core_mailbox_DEPENDENCIES = src/libroamgate.a
tests_unit_core_once_SOURCES = tests/unit/core/once.c
tests_unit_core_once_LDFLAGS = $(ldflags_unit)
tests_unit_core_once_LDADD = $(ldadd_unit)
tests_unit_core_once_DEPENDENCIES = src/libroamgate.a
tests_unit_core_slab_SOURCES = tests/unit/core/slab.c
tests_unit_core_slab_LDFLAGS = $(ldflags_unit)
tests_unit_core_slab_LDADD = $(ldadd_unit)
tests_unit_core_slab_DEPENDENCIES = src/libroamgate.a
tests_unit_core_span_SOURCES = tests/unit/core/span.c
tests_unit_core_span_LDFLAGS = $(ldflags_unit)
tests_unit_core_span_LDADD = $(ldadd_unit)
tests_unit_core_span_DEPENDENCIES = src/libroamgate.a
tests_unit_core_text_SOURCES = tests/unit/core/text.c
tests_unit_core_text_LDFLAGS = $(ldflags_unit)
tests_unit_core_text_LDADD = $(ldadd_unit)
tests_unit_core_text_DEPENDENCIES = src/libroamgate.a
tests_unit_core_timer_SOURCES = tests/unit/core/timer.c
tests_unit_core_timer_LDFLAGS = $(ldflags_unit)
tests_unit_core_timer_LDADD = $(ldadd_unit)
tests_unit_core_timer_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/core/log
tests_unit_core_log_SOURCES = tests/unit/core/log.c
tests_unit_core_log_LDFLAGS = $(ldflags_unit)
tests_unit_core_log_LDADD = $(ldadd_unit)
tests_unit_core_log_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/core/sandbox
tests_unit_core_sandbox_SOURCES = tests/unit/core/sandbox.c
tests_unit_core_sandbox_LDFLAGS = $(ldflags_unit)
tests_unit_core_sandbox_LDADD = $(ldadd_unit)
tests_unit_core_sandbox_DEPENDENCIES = src/libroamgate.a
