src_libroamgate_a_SOURCES += src/client/policy.c src/client/policy.h
