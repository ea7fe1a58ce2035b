src_libroamgate_a_SOURCES += \
	src/supplicant/method.c src/supplicant/method.h \
	src/supplicant/peer_tls.c \
	src/supplicant/profile.c src/supplicant/profile.h \
	src/supplicant/server_certificate.c src/supplicant/server_certificate.h \
	src/supplicant/supplicant.c src/supplicant/supplicant.h \
	src/supplicant/tls_frame.c src/supplicant/tls_frame.h
EXTRA_DIST += tests/interop/test_supplicant_freeradius.py
