src_libroamgate_a_SOURCES += src/request/path.c
