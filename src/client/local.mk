src_libroamgate_a_SOURCES += src/client/policy.c src/client/policy.h \
	src/client/table.c src/client/table.h
