src_libroamgate_a_SOURCES +=
