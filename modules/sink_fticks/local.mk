EXTRA_DIST += modules/sink_fticks/README.md
pkglib_LTLIBRARIES += modules/sink_fticks/sink_fticks.la
modules_sink_fticks_sink_fticks_la_SOURCES = \
	modules/sink_fticks/connection.c modules/sink_fticks/connection.h \
	modules/sink_fticks/frame.c modules/sink_fticks/frame.h \
	modules/sink_fticks/line.c modules/sink_fticks/line.h \
	modules/sink_fticks/queue.c modules/sink_fticks/queue.h \
	modules/sink_fticks/sender.c modules/sink_fticks/sender.h \
	modules/sink_fticks/settings.c \
	modules/sink_fticks/sink_fticks.c modules/sink_fticks/sink_fticks.h \
	modules/sink_fticks/target.c modules/sink_fticks/target.h
modules_sink_fticks_sink_fticks_la_LDFLAGS = $(ldflags_module)
modules_sink_fticks_sink_fticks_la_LIBADD = $(OPENSSL_LIBS)
