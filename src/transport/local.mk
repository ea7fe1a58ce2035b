src_libroamgate_a_SOURCES += src/transport/udp.c src/transport/udp.h \
	src/transport/http.c src/transport/http.h
