# An example to copy from, not a configuration that is in force: it goes to the documentation.
exampledir = $(docdir)
nobase_dist_example_DATA = \
	raddb/README.md \
	raddb/clients.d/beuningen.cfg \
	raddb/clients.d/druten.cfg \
	raddb/directory/trial.ldif \
	raddb/federation.d/govroam.cfg \
	raddb/federation.d/radsec.cfg \
	raddb/realms.d/beuningen.nl.cfg \
	raddb/realms.d/druten.nl.cfg \
	raddb/realms.d/trial.cfg \
	raddb/roamgate.cfg
EXTRA_DIST += raddb/.gitignore
