src_libroamgate_a_SOURCES += \
	src/home/authorize.c src/home/authorize.h \
	src/home/decide.c src/home/decide.h \
	src/home/identity.c src/home/identity.h \
	src/home/realm.h
