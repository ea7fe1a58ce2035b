# The script in certs/ names /etc/roamgate; what is installed names the folder of this installation.
bin_SCRIPTS = certs/installed/roamgate-certs
CLEANFILES += $(bin_SCRIPTS)
EXTRA_DIST += certs/roamgate-certs
nobase_dist_example_DATA += certs/README.md

certs/installed/roamgate-certs: $(top_srcdir)/certs/roamgate-certs
	$(AM_V_GEN)$(MKDIR_P) certs/installed && \
	$(SED) -e 's|/etc/roamgate|$(sysconfdir)/roamgate|g' $(top_srcdir)/certs/roamgate-certs >$@.tmp && \
	chmod +x $@.tmp && mv $@.tmp $@
