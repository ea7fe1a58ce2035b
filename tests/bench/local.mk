# What scripts/bench measures beside the peers: built when it asks, never installed.
EXTRA_PROGRAMS = tests/bench/floor tests/bench/flood tests/bench/openssl_alone tests/bench/micro
tests_bench_floor_SOURCES = tests/bench/floor.c
tests_bench_flood_SOURCES = tests/bench/flood.c
tests_bench_openssl_alone_SOURCES = tests/bench/openssl_alone.c
tests_bench_openssl_alone_LDADD = $(OPENSSL_LIBS)
tests_bench_micro_SOURCES = tests/bench/micro.c
tests_bench_micro_LDADD = src/libroamgate.a $(libs_all)
tests_bench_micro_DEPENDENCIES = src/libroamgate.a
CLEANFILES += $(EXTRA_PROGRAMS)
EXTRA_DIST += scripts/bench tests/bench/README.md tests/bench/bench.py tests/bench/budget.json tests/bench/cases.py \
	tests/bench/figures.py tests/bench/flood.py tests/bench/goals.py tests/bench/instructions.py tests/bench/peers.py tests/bench/plot.py \
	tests/bench/radsec.py tests/bench/results.json tests/bench/results.svg \
	tests/bench/table.py tests/bench/test_budget.py tests/bench/test_report.py tests/bench/tunnels.py
