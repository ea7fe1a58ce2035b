# Unit tests: tests/unit/FOLDER/NAME.c tests src/FOLDER/NAME.c. `make check` runs them all.
if HAVE_CMOCKA
ldflags_unit = $(ldflags_program)
ldadd_unit = $(libs_all) $(CMOCKA_LIBS)
include tests/unit/core/local.mk
include tests/unit/config/local.mk
include tests/unit/radius/local.mk
include tests/unit/client/local.mk
include tests/unit/route/local.mk
include tests/unit/eap/local.mk
include tests/unit/tls/local.mk
include tests/unit/directory/local.mk
include tests/unit/discover/local.mk
include tests/unit/observe/local.mk
include tests/unit/sink/local.mk
include tests/unit/supplicant/local.mk
include tests/unit/home/local.mk
include tests/unit/reply/local.mk
include tests/unit/radsec/local.mk
include tests/unit/request/local.mk
include tests/unit/upstream/local.mk
include tests/unit/command/local.mk
include tests/unit/daemon/local.mk
include tests/unit/transport/local.mk
include tests/unit/load/local.mk
TESTS += $(check_PROGRAMS)
endif
TESTS_ENVIRONMENT = ROAMGATE_MODULES=$(abs_builddir)/modules SOURCE_DIR=$(abs_srcdir)
EXTRA_DIST += tests/conftest.py tests/lib tests/path tests/interop tests/faults tests/soak
