src_libroamgate_a_SOURCES += \
	src/core/arena.c src/core/arena.h \
	src/core/chores.c src/core/chores.h \
	src/core/clock.h \
	src/core/entropy.c src/core/entropy.h \
	src/core/landlock.c \
	src/core/log.c src/core/log.h \
	src/core/log_target.c src/core/log_target.h \
	src/core/mailbox.c src/core/mailbox.h \
	src/core/once.c src/core/once.h \
	src/core/reserve.c src/core/reserve.h \
	src/core/sandbox.c src/core/sandbox.h src/core/sandbox_calls.c \
	src/core/secret.c src/core/secret.h \
	src/core/slab.c src/core/slab.h \
	src/core/text.c src/core/text.h \
	src/core/thread.c src/core/thread.h \
	src/core/timer.c src/core/timer.h \
	src/include/roamgate/directory.h \
	src/include/roamgate/eap.h \
	src/include/roamgate/module.h \
	src/include/roamgate/reason.h \
	src/include/roamgate/span.h
