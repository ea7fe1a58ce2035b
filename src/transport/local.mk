src_libroamgate_a_SOURCES += src/transport/bind.c src/transport/bind.h \
	src/transport/udp.c src/transport/udp.h \
	src/transport/http.c src/transport/http.h
