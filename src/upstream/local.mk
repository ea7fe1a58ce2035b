src_libroamgate_a_SOURCES += \
	src/upstream/compose.c src/upstream/compose.h \
	src/upstream/filter.c src/upstream/filter.h \
	src/upstream/peer.c src/upstream/peer.h \
	src/upstream/stats.c src/upstream/stats.h \
	src/upstream/upstream.c src/upstream/upstream.h
