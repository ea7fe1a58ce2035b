EXTRA_DIST += scripts/setup scripts/demo scripts/test scripts/fuzz scripts/soak scripts/sweep scripts/coverage \
	scripts/valgrind .ci/run scripts/lib/build.sh scripts/lib/demo.py scripts/lib/suite.py scripts/lib/coverage.py
