src_libroamgate_a_SOURCES += \
	src/command/command.h \
	src/command/options.c src/command/options.h \
	src/command/test.c src/command/test.h \
	src/command/test_exchange.c \
	src/command/test_print.c \
	src/command/test_target.c
