src_libroamgate_a_SOURCES += \
	src/config/addresses.c \
	src/config/attributes.c \
	src/config/certificate_files.c src/config/certificate_files.h \
	src/config/certificates.c src/config/certificates.h \
	src/config/complaint.c \
	src/config/differences.c \
	src/config/digest.c src/config/digest.h \
	src/config/judge.c \
	src/config/judge_radsec.c \
	src/config/names.c src/config/names.h \
	src/config/raddb.c src/config/raddb.h \
	src/config/read_attempts.c \
	src/config/read_clients.c \
	src/config/read_discovery.c \
	src/config/read_federation.c \
	src/config/read_gateway.c \
	src/config/read_inner.c \
	src/config/read_later.c \
	src/config/read_modules.c \
	src/config/read_peers.c \
	src/config/read_radsec.c \
	src/config/read_realms.c \
	src/config/read_rules.c \
	src/config/read_sinks.c \
	src/config/reader.c src/config/reader.h \
	src/config/reading.h \
	src/config/report.c src/config/report.h \
	src/config/rows.c src/config/rows.h \
	src/config/secrets.c \
	src/config/source.c src/config/source.h
