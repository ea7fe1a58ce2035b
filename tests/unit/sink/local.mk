check_PROGRAMS += tests/unit/sink/line tests/unit/sink/frame tests/unit/sink/sender
tests_unit_sink_line_SOURCES = tests/unit/sink/line.c \
	modules/sink_fticks/line.c \
	modules/sink_fticks/settings.c \
	modules/sink_fticks/target.c
tests_unit_sink_line_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_sink_line_LDFLAGS = $(ldflags_unit)
tests_unit_sink_line_LDADD = $(ldadd_unit)
tests_unit_sink_line_DEPENDENCIES = src/libroamgate.a
tests_unit_sink_frame_SOURCES = tests/unit/sink/frame.c \
	modules/sink_fticks/frame.c \
	modules/sink_fticks/target.c
tests_unit_sink_frame_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_sink_frame_LDFLAGS = $(ldflags_unit)
tests_unit_sink_frame_LDADD = $(ldadd_unit)
tests_unit_sink_frame_DEPENDENCIES = src/libroamgate.a
tests_unit_sink_sender_SOURCES = tests/unit/sink/sender.c \
	modules/sink_fticks/connection.c \
	modules/sink_fticks/frame.c \
	modules/sink_fticks/line.c \
	modules/sink_fticks/queue.c \
	modules/sink_fticks/sender.c \
	modules/sink_fticks/settings.c \
	modules/sink_fticks/target.c
tests_unit_sink_sender_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_sink_sender_LDFLAGS = $(ldflags_unit)
tests_unit_sink_sender_LDADD = $(ldadd_unit)
tests_unit_sink_sender_DEPENDENCIES = src/libroamgate.a
