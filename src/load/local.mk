# `roamgate load`: many sign-ins at once, and a fake home server.
src_libroamgate_a_SOURCES += \
	src/load/histogram.c src/load/histogram.h \
	src/load/laptop.c \
	src/load/lines.c src/load/lines.h \
	src/load/load.c src/load/load.h \
	src/load/process.c src/load/process.h \
	src/load/random.h \
	src/load/script.h \
	src/load/sink.c src/load/sink.h \
	src/load/visitor.c \
	src/load/who.c src/load/who.h
