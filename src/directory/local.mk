src_libroamgate_a_SOURCES += \
	src/directory/assertion.c src/directory/assertion.h \
	src/directory/broker.c src/directory/broker.h \
	src/directory/dn.c src/directory/dn.h \
	src/directory/filter.c src/directory/filter.h \
	src/directory/group.c src/directory/group.h \
	src/directory/keep.c src/directory/keep.h \
	src/directory/lookup.c src/directory/lookup.h \
	src/directory/mapping.c src/directory/mapping.h \
	src/directory/nt_hash.c src/directory/nt_hash.h \
	src/directory/preset.c src/directory/preset.h \
	src/directory/sid.c src/directory/sid.h
