src_libroamgate_a_SOURCES += \
	src/supplicant/method.c src/supplicant/method.h \
	src/supplicant/inner.c src/supplicant/inner.h \
	src/supplicant/peer_peap.c \
	src/supplicant/peer_tls.c \
	src/supplicant/peer_ttls.c \
	src/supplicant/peer_tunnel.c src/supplicant/peer_tunnel.h \
	src/supplicant/profile.c src/supplicant/profile.h \
	src/supplicant/server_certificate.c src/supplicant/server_certificate.h \
	src/supplicant/supplicant.c src/supplicant/supplicant.h \
	src/supplicant/tls_frame.c src/supplicant/tls_frame.h \
	src/supplicant/tls_peer.c src/supplicant/tls_peer.h
EXTRA_DIST += tests/interop/test_supplicant_freeradius.py
