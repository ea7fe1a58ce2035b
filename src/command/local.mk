src_libroamgate_a_SOURCES += \
	src/command/check.c \
	src/command/command.h \
	src/command/control_client.c src/command/control_client.h \
	src/command/control_path.c \
	src/command/load.c src/command/load_plan.c src/command/load.h src/command/load_print.c \
	src/command/options.c src/command/options.h \
	src/command/realm.c src/command/realm.h src/command/realm_add.c \
	src/command/reload.c \
	src/command/server.c src/command/server.h \
	src/command/show.c src/command/show.h \
	src/command/status.c \
	src/command/test.c src/command/test.h \
	src/command/test_exchange.c \
	src/command/test_print.c \
	src/command/test_target.c \
	src/command/test_trace.c \
	src/command/trace.c \
	src/command/unlock.c
