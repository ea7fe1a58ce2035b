src_libroamgate_a_SOURCES += \
	src/upstream/affinity.c src/upstream/affinity.h \
	src/upstream/channel.c src/upstream/channel.h \
	src/upstream/compose.c src/upstream/compose.h \
	src/upstream/filter.c src/upstream/filter.h \
	src/upstream/forward.c src/upstream/forward.h \
	src/upstream/found.c src/upstream/found.h \
	src/upstream/health.c src/upstream/health.h \
	src/upstream/line.c src/upstream/line.h \
	src/upstream/peer.c src/upstream/peer.h \
	src/upstream/pool.c src/upstream/pool.h \
	src/upstream/response.c src/upstream/response.h \
	src/upstream/stats.c src/upstream/stats.h \
	src/upstream/upstream.c src/upstream/upstream.h
