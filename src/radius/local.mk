src_libroamgate_a_SOURCES += \
	src/radius/dictionary.c src/radius/dictionary.h \
	src/radius/key.c src/radius/key.h src/radius/key_private.h \
	src/radius/md5.c src/radius/md5.h \
	src/radius/md5_many.c src/radius/md5_many.h \
	src/radius/packet.c src/radius/packet.h \
	src/radius/rehide.c src/radius/rehide.h \
	src/radius/seal.c src/radius/verify.c \
	src/radius/shim/freeradius/automask.h src/radius/shim/libradius.h \
	src/radius/writer.c src/radius/writer.h
# FreeRADIUS's headers look for freeradius/automask.h.
AM_CPPFLAGS += -I$(top_srcdir)/src/radius/shim
