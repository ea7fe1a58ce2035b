src_libroamgate_a_SOURCES += src/reply/reply.c src/reply/reply.h
