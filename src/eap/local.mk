src_libroamgate_a_SOURCES += src/eap/avp.c src/eap/avp.h src/eap/peap_binding.c src/eap/peap_binding.h
src_libroamgate_a_SOURCES += src/eap/conversation.c src/eap/conversation.h
src_libroamgate_a_SOURCES += src/eap/frame.c src/eap/frame.h
src_libroamgate_a_SOURCES += src/eap/session.c src/eap/session.h
src_libroamgate_a_SOURCES += src/eap/mschapv2.c src/include/roamgate/mschapv2.h
src_libroamgate_a_SOURCES += src/eap/tunnel.c src/eap/tunnel.h
# The TLS engine that all TLS methods share.
src_libroamgate_a_SOURCES += \
	src/eap/fragments.c src/eap/fragments.h \
	src/eap/tls_bio.c \
	src/eap/tls_build.c \
	src/eap/tls_cache.c src/eap/tls_cache.h \
	src/eap/tls_context.c src/eap/tls_context.h \
	src/eap/tls_conversation.c src/eap/tls_conversation.h \
	src/eap/tls_engine.c \
	src/eap/tls_explain.c \
	src/eap/tls_ocsp.c src/eap/tls_ocsp.h \
	src/eap/tls_ocsp_exchange.c \
	src/eap/tls_ocsp_judge.c \
	src/eap/tls_private.h \
	src/eap/tls_resume.c \
	src/eap/tls_seal.c \
	src/eap/tls_trust.c \
	src/eap/tls_tunnel.c \
	src/eap/tls_verify.c src/eap/tls_verify.h \
	src/include/roamgate/tls.h
