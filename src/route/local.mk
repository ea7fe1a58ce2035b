src_libroamgate_a_SOURCES += src/route/nai.c src/route/nai.h src/route/table.c src/route/table.h
