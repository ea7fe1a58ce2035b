dist_man_MANS += doc/roamgated.8 doc/roamgate.8 doc/roamgate.cfg.5
EXTRA_DIST += doc/roamgate.service doc/roamgate.sysusers tests/interop/test_unit_file.py \
	tests/interop/unit_sandbox.py

# The unit in doc/ has the paths of a distribution; what is installed has those of this installation.
systemdsystemunit_DATA = doc/installed/roamgate.service
sysusersdir = $(prefix)/lib/sysusers.d
sysusers_DATA = doc/installed/roamgate.conf
CLEANFILES += $(systemdsystemunit_DATA) $(sysusers_DATA)

doc/installed/roamgate.service: $(top_srcdir)/doc/roamgate.service
	$(AM_V_GEN)$(MKDIR_P) doc/installed && \
	$(SED) -e 's|/usr/sbin/|$(sbindir)/|g' -e 's|/etc/roamgate|$(sysconfdir)/roamgate|g' \
		$(top_srcdir)/doc/roamgate.service >$@.tmp && mv $@.tmp $@

doc/installed/roamgate.conf: $(top_srcdir)/doc/roamgate.sysusers
	$(AM_V_GEN)$(MKDIR_P) doc/installed && cp $(top_srcdir)/doc/roamgate.sysusers $@
