src_libroamgate_a_SOURCES += \
	src/radsec/key.c src/radsec/key.h
