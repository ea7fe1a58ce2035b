# What scripts/bench measures beside the peers: built when it asks, never installed.
EXTRA_PROGRAMS = tests/bench/floor tests/bench/openssl_alone
tests_bench_floor_SOURCES = tests/bench/floor.c
tests_bench_openssl_alone_SOURCES = tests/bench/openssl_alone.c
tests_bench_openssl_alone_LDADD = $(OPENSSL_LIBS)
CLEANFILES += $(EXTRA_PROGRAMS)
EXTRA_DIST += scripts/bench tests/bench/README.md tests/bench/bench.py tests/bench/cases.py tests/bench/peers.py \
	tests/bench/radsec.py tests/bench/results.json tests/bench/table.py
