src_libroamgate_a_SOURCES += src/client/identify.c src/client/identify.h \
	src/client/policy.c src/client/policy.h \
	src/client/prefix.c src/client/prefix.h \
	src/client/table.c src/client/table.h
