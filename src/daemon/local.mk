src_libroamgate_a_SOURCES += \
	src/daemon/control.c src/daemon/control.h \
	src/daemon/control_answer.c src/daemon/control_answer.h
