check_PROGRAMS += \
	tests/unit/discover/address \
	tests/unit/discover/discover \
	tests/unit/discover/message \
	tests/unit/discover/order \
	tests/unit/discover/table
tests_unit_discover_address_SOURCES = tests/unit/discover/address.c \
	tests/unit/discover/zone.c tests/unit/discover/zone.h
tests_unit_discover_address_LDFLAGS = $(ldflags_unit)
tests_unit_discover_address_LDADD = $(ldadd_unit)
tests_unit_discover_address_DEPENDENCIES = src/libroamgate.a
tests_unit_discover_discover_SOURCES = tests/unit/discover/discover.c \
	tests/unit/discover/zone.c tests/unit/discover/zone.h
tests_unit_discover_discover_LDFLAGS = $(ldflags_unit)
tests_unit_discover_discover_LDADD = $(ldadd_unit)
tests_unit_discover_discover_DEPENDENCIES = src/libroamgate.a
tests_unit_discover_message_SOURCES = tests/unit/discover/message.c \
	tests/unit/discover/zone.c tests/unit/discover/zone.h
tests_unit_discover_message_LDFLAGS = $(ldflags_unit)
tests_unit_discover_message_LDADD = $(ldadd_unit)
tests_unit_discover_message_DEPENDENCIES = src/libroamgate.a
tests_unit_discover_order_SOURCES = tests/unit/discover/order.c \
	tests/unit/discover/zone.c tests/unit/discover/zone.h
tests_unit_discover_order_LDFLAGS = $(ldflags_unit)
tests_unit_discover_order_LDADD = $(ldadd_unit)
tests_unit_discover_order_DEPENDENCIES = src/libroamgate.a
tests_unit_discover_table_SOURCES = tests/unit/discover/table.c \
	tests/unit/discover/zone.c tests/unit/discover/zone.h
tests_unit_discover_table_LDFLAGS = $(ldflags_unit)
tests_unit_discover_table_LDADD = $(ldadd_unit)
tests_unit_discover_table_DEPENDENCIES = src/libroamgate.a
