# libFuzzer's targets, and `make check` gives each a short run: ./configure --enable-fuzzing CC=clang
if FUZZING
fuzzers = tests/fuzz/packet tests/fuzz/eap tests/fuzz/nai tests/fuzz/filter
noinst_PROGRAMS += $(fuzzers)
ldflags_fuzz = $(ldflags_program) -fsanitize=fuzzer
tests_fuzz_packet_SOURCES = tests/fuzz/packet.c tests/fuzz/fuzz.h tests/unit/radius/referee_view.c \
	tests/unit/radius/referee_view.h
tests_fuzz_packet_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_packet_LDADD = $(libs_all)
tests_fuzz_packet_DEPENDENCIES = src/libroamgate.a
tests_fuzz_eap_SOURCES = tests/fuzz/eap.c tests/fuzz/fuzz.h
tests_fuzz_eap_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_eap_LDADD = $(libs_all)
tests_fuzz_eap_DEPENDENCIES = src/libroamgate.a
tests_fuzz_nai_SOURCES = tests/fuzz/nai.c tests/fuzz/fuzz.h
tests_fuzz_nai_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_nai_LDADD = $(libs_all)
tests_fuzz_nai_DEPENDENCIES = src/libroamgate.a
tests_fuzz_filter_SOURCES = tests/fuzz/filter.c tests/fuzz/fuzz.h
tests_fuzz_filter_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_filter_LDADD = $(libs_all)
tests_fuzz_filter_DEPENDENCIES = src/libroamgate.a
TESTS += tests/fuzz/run
endif
EXTRA_DIST += tests/fuzz/run tests/fuzz/README.md tests/fuzz/seeds tests/fuzz/packet.c tests/fuzz/eap.c \
	tests/fuzz/nai.c tests/fuzz/filter.c tests/fuzz/fuzz.h
