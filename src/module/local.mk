src_libroamgate_a_SOURCES += src/module/module.c src/module/module.h
