src_libroamgate_a_SOURCES += \
	src/discover/address.c src/discover/address.h \
	src/discover/discover.c src/discover/discover.h \
	src/discover/lookup.c src/discover/lookup.h \
	src/discover/message.c src/discover/message.h \
	src/discover/order.c src/discover/order.h \
	src/discover/resolver.c src/discover/resolver.h \
	src/discover/table.c src/discover/table.h
