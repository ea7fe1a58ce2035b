src_libroamgate_a_SOURCES += src/eap/conversation.c src/eap/conversation.h
src_libroamgate_a_SOURCES += src/eap/frame.c src/eap/frame.h
src_libroamgate_a_SOURCES += src/eap/session.c src/eap/session.h
