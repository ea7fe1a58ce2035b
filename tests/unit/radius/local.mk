check_PROGRAMS += \
	tests/unit/radius/packet \
	tests/unit/radius/key \
	tests/unit/radius/many \
	tests/unit/radius/writer \
	tests/unit/radius/version_1_1 \
	tests/unit/radius/dictionary \
	tests/unit/radius/referee
tests_unit_radius_packet_SOURCES = tests/unit/radius/packet.c tests/unit/radius/support.h
tests_unit_radius_packet_LDFLAGS = $(ldflags_unit)
tests_unit_radius_packet_LDADD = $(ldadd_unit)
tests_unit_radius_packet_DEPENDENCIES = src/libroamgate.a
tests_unit_radius_key_SOURCES = tests/unit/radius/key.c tests/unit/radius/support.h
tests_unit_radius_key_LDFLAGS = $(ldflags_unit)
tests_unit_radius_key_LDADD = $(ldadd_unit)
tests_unit_radius_key_DEPENDENCIES = src/libroamgate.a
tests_unit_radius_many_SOURCES = tests/unit/radius/many.c tests/unit/radius/support.h
tests_unit_radius_many_LDFLAGS = $(ldflags_unit)
tests_unit_radius_many_LDADD = $(ldadd_unit)
tests_unit_radius_many_DEPENDENCIES = src/libroamgate.a
tests_unit_radius_writer_SOURCES = tests/unit/radius/writer.c tests/unit/radius/support.h
tests_unit_radius_writer_LDFLAGS = $(ldflags_unit)
tests_unit_radius_writer_LDADD = $(ldadd_unit)
tests_unit_radius_writer_DEPENDENCIES = src/libroamgate.a
tests_unit_radius_version_1_1_SOURCES = tests/unit/radius/version_1_1.c tests/unit/radius/support.h
tests_unit_radius_version_1_1_LDFLAGS = $(ldflags_unit)
tests_unit_radius_version_1_1_LDADD = $(ldadd_unit)
tests_unit_radius_version_1_1_DEPENDENCIES = src/libroamgate.a
tests_unit_radius_dictionary_SOURCES = tests/unit/radius/dictionary.c tests/unit/radius/support.h
tests_unit_radius_dictionary_LDFLAGS = $(ldflags_unit)
tests_unit_radius_dictionary_LDADD = $(ldadd_unit)
tests_unit_radius_dictionary_DEPENDENCIES = src/libroamgate.a
tests_unit_radius_referee_SOURCES = tests/unit/radius/referee.c tests/unit/radius/referee_view.c \
	tests/unit/radius/referee_view.h tests/unit/radius/support.h
tests_unit_radius_referee_LDFLAGS = $(ldflags_unit)
tests_unit_radius_referee_LDADD = $(ldadd_unit)
tests_unit_radius_referee_DEPENDENCIES = src/libroamgate.a
