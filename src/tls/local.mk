src_libroamgate_a_SOURCES += \
	src/tls/certificate.c src/tls/certificate.h \
	src/tls/contents.c src/tls/contents.h \
	src/tls/files.c src/tls/files.h \
	src/tls/library.c src/tls/library.h
