check_PROGRAMS += tests/unit/supplicant/supplicant tests/unit/supplicant/tls_frame
tests_unit_supplicant_supplicant_SOURCES = tests/unit/supplicant/supplicant.c \
	tests/unit/supplicant/server.c tests/unit/supplicant/server.h
tests_unit_supplicant_supplicant_LDFLAGS = $(ldflags_unit)
tests_unit_supplicant_supplicant_LDADD = $(ldadd_unit)
tests_unit_supplicant_supplicant_DEPENDENCIES = src/libroamgate.a
tests_unit_supplicant_tls_frame_SOURCES = tests/unit/supplicant/tls_frame.c
tests_unit_supplicant_tls_frame_LDFLAGS = $(ldflags_unit)
tests_unit_supplicant_tls_frame_LDADD = $(ldadd_unit)
tests_unit_supplicant_tls_frame_DEPENDENCIES = src/libroamgate.a
