src_libroamgate_a_SOURCES += \
	src/daemon/confine.c \
	src/daemon/control.c src/daemon/control.h \
	src/daemon/control_answer.c src/daemon/control_answer.h \
	src/daemon/daemon.c src/daemon/daemon.h \
	src/daemon/expiry.c \
	src/daemon/leave.c \
	src/daemon/privileges.c src/daemon/privileges.h \
	src/daemon/reload.c \
	src/daemon/sockets.c src/daemon/sockets.h \
	src/daemon/status.c
