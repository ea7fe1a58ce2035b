src_libroamgate_a_SOURCES += \
	src/observe/counter.c src/observe/counter.h \
	src/observe/history.c src/observe/history.h \
	src/observe/metrics.c src/observe/metrics.h \
	src/observe/observe.c src/observe/observe.h \
	src/observe/packed.c src/observe/packed.h \
	src/observe/reason.c \
	src/observe/record.c src/observe/record.h \
	src/observe/ring.c src/observe/ring.h \
	src/observe/signin.c src/observe/signin.h \
	src/observe/sinks.c src/observe/sinks.h \
	src/observe/tally.c src/observe/tally.h
