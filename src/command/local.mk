src_libroamgate_a_SOURCES += \
	src/command/command.h \
	src/command/options.c src/command/options.h \
	src/command/test.c
