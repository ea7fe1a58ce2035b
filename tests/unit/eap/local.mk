check_PROGRAMS +=
# Tests of the TLS engine: each has a realm and a supplicant in memory.
check_LIBRARIES = tests/unit/eap/libtls.a
tests_unit_eap_libtls_a_SOURCES = modules/eap_tls/eap_tls.c \
	tests/unit/eap/laptop.c tests/unit/eap/laptop.h \
	tests/unit/eap/pki.c tests/unit/eap/pki.h \
	tests/unit/eap/town.c \
	tests/unit/eap/responder.c tests/unit/eap/responder.h
tests_unit_eap_libtls_a_CFLAGS = $(AM_CFLAGS)
check_PROGRAMS += tests/unit/eap/fragments
tests_unit_eap_fragments_SOURCES = tests/unit/eap/fragments.c
tests_unit_eap_fragments_LDFLAGS = $(ldflags_unit)
tests_unit_eap_fragments_LDADD = $(ldadd_unit)
tests_unit_eap_fragments_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/eap/tls
tests_unit_eap_tls_SOURCES = tests/unit/eap/tls.c
tests_unit_eap_tls_LDFLAGS = $(ldflags_unit)
tests_unit_eap_tls_LDADD = tests/unit/eap/libtls.a $(ldadd_unit)
tests_unit_eap_tls_DEPENDENCIES = src/libroamgate.a tests/unit/eap/libtls.a
check_PROGRAMS += tests/unit/eap/tls_keys
tests_unit_eap_tls_keys_SOURCES = tests/unit/eap/tls_keys.c
tests_unit_eap_tls_keys_LDFLAGS = $(ldflags_unit)
tests_unit_eap_tls_keys_LDADD = tests/unit/eap/libtls.a $(ldadd_unit)
tests_unit_eap_tls_keys_DEPENDENCIES = src/libroamgate.a tests/unit/eap/libtls.a
check_PROGRAMS += tests/unit/eap/tls_refusals
tests_unit_eap_tls_refusals_SOURCES = tests/unit/eap/tls_refusals.c
tests_unit_eap_tls_refusals_LDFLAGS = $(ldflags_unit)
tests_unit_eap_tls_refusals_LDADD = tests/unit/eap/libtls.a $(ldadd_unit)
tests_unit_eap_tls_refusals_DEPENDENCIES = src/libroamgate.a tests/unit/eap/libtls.a
check_PROGRAMS += tests/unit/eap/tls_explain
tests_unit_eap_tls_explain_SOURCES = tests/unit/eap/tls_explain.c
tests_unit_eap_tls_explain_LDFLAGS = $(ldflags_unit)
tests_unit_eap_tls_explain_LDADD = $(ldadd_unit)
tests_unit_eap_tls_explain_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/eap/tls_broken
tests_unit_eap_tls_broken_SOURCES = tests/unit/eap/tls_broken.c
tests_unit_eap_tls_broken_LDFLAGS = $(ldflags_unit)
tests_unit_eap_tls_broken_LDADD = tests/unit/eap/libtls.a $(ldadd_unit)
tests_unit_eap_tls_broken_DEPENDENCIES = src/libroamgate.a tests/unit/eap/libtls.a
check_PROGRAMS += tests/unit/eap/tls_ocsp
tests_unit_eap_tls_ocsp_SOURCES = tests/unit/eap/tls_ocsp.c
tests_unit_eap_tls_ocsp_LDFLAGS = $(ldflags_unit)
tests_unit_eap_tls_ocsp_LDADD = tests/unit/eap/libtls.a $(ldadd_unit)
tests_unit_eap_tls_ocsp_DEPENDENCIES = src/libroamgate.a tests/unit/eap/libtls.a
check_PROGRAMS += tests/unit/eap/tls_threads
tests_unit_eap_tls_threads_SOURCES = tests/unit/eap/tls_threads.c
tests_unit_eap_tls_threads_LDFLAGS = $(ldflags_unit)
tests_unit_eap_tls_threads_LDADD = tests/unit/eap/libtls.a $(ldadd_unit)
tests_unit_eap_tls_threads_DEPENDENCIES = src/libroamgate.a tests/unit/eap/libtls.a
check_PROGRAMS += tests/unit/eap/conversation
tests_unit_eap_conversation_SOURCES = tests/unit/eap/conversation.c
tests_unit_eap_conversation_LDFLAGS = $(ldflags_unit)
tests_unit_eap_conversation_LDADD = $(ldadd_unit)
tests_unit_eap_conversation_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/eap/session
tests_unit_eap_session_SOURCES = tests/unit/eap/session.c
tests_unit_eap_session_LDFLAGS = $(ldflags_unit)
tests_unit_eap_session_LDADD = $(ldadd_unit)
tests_unit_eap_session_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/eap/mschapv2
tests_unit_eap_mschapv2_SOURCES = tests/unit/eap/mschapv2.c
tests_unit_eap_mschapv2_LDFLAGS = $(ldflags_unit)
tests_unit_eap_mschapv2_LDADD = $(ldadd_unit)
tests_unit_eap_mschapv2_DEPENDENCIES = src/libroamgate.a
check_PROGRAMS += tests/unit/eap/disorder
tests_unit_eap_disorder_SOURCES = tests/unit/eap/disorder.c tests/unit/eap/scene.c \
	tests/unit/eap/tunnels.h
tests_unit_eap_disorder_LDFLAGS = $(ldflags_unit)
tests_unit_eap_disorder_LDADD = tests/unit/eap/libtls.a $(ldadd_unit)
tests_unit_eap_disorder_DEPENDENCIES = src/libroamgate.a tests/unit/eap/libtls.a
check_PROGRAMS += tests/unit/eap/tunnels
tests_unit_eap_tunnels_SOURCES = tests/unit/eap/tunnels.c tests/unit/eap/scene.c \
	tests/unit/eap/tunnels.h
tests_unit_eap_tunnels_LDFLAGS = $(ldflags_unit)
tests_unit_eap_tunnels_LDADD = tests/unit/eap/libtls.a $(ldadd_unit)
tests_unit_eap_tunnels_DEPENDENCIES = src/libroamgate.a tests/unit/eap/libtls.a
