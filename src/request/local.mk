src_libroamgate_a_SOURCES += \
	src/request/admit.c \
	src/request/answer.c src/request/answer.h \
	src/request/away.c src/request/away.h \
	src/request/direct.c \
	src/request/doors.c src/request/doors.h \
	src/request/handover.c src/request/handover.h \
	src/request/home.c src/request/home.h \
	src/request/link.c src/request/link.h \
	src/request/note.c src/request/note.h \
	src/request/path.c src/request/path.h \
	src/request/ports.c src/request/ports.h \
	src/request/refuse.c src/request/refuse.h \
	src/request/repeat.c \
	src/request/request.h \
	src/request/search.c src/request/search.h \
	src/request/snapshot.c src/request/snapshot.h \
	src/request/verdict.c src/request/verdict.h \
	src/request/window.c src/request/window.h \
	src/request/worker.c src/request/worker.h
