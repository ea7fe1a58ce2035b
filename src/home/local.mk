src_libroamgate_a_SOURCES += \
	src/home/attempts.c src/home/attempts.h \
	src/home/authorize.c src/home/authorize.h \
	src/home/decide.c src/home/decide.h \
	src/home/identity.c src/home/identity.h \
	src/home/realm.h
