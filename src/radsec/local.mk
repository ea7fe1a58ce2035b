src_libroamgate_a_SOURCES += \
	src/radsec/connection.c src/radsec/connection.h \
	src/radsec/cookie.c src/radsec/cookie.h \
	src/radsec/credential.c src/radsec/credential.h \
	src/radsec/datagram.c \
	src/radsec/dial.c \
	src/radsec/hello.c \
	src/radsec/key.c src/radsec/key.h \
	src/radsec/names.c src/radsec/names.h \
	src/radsec/place.c \
	src/radsec/port.c src/radsec/port.h \
	src/radsec/private.h \
	src/radsec/psk.c \
	src/radsec/stream.c \
	src/radsec/trust.c
