EXTRA_DIST += scripts/setup scripts/demo scripts/test scripts/fuzz \
	.ci/run scripts/lib/build.sh scripts/lib/demo.py scripts/lib/suite.py
