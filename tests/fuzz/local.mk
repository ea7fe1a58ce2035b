# libFuzzer's targets, and `make check` gives each a short run: ./configure --enable-fuzzing CC=clang
# Of the library each takes what it uses: counters of all the rest would cost more than most targets do.
if FUZZING
ldflags_fuzz = $(RG_LDFLAGS) -fsanitize=fuzzer
ldadd_fuzz = src/libroamgate.a $(libs_all)
fuzzers =
noinst_PROGRAMS += $(fuzzers)
fuzzers += tests/fuzz/packet
tests_fuzz_packet_SOURCES = tests/fuzz/packet.c tests/fuzz/fuzz.h \
	tests/unit/radius/referee_view.c tests/unit/radius/referee_view.h
tests_fuzz_packet_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_packet_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/writer
tests_fuzz_writer_SOURCES = tests/fuzz/writer.c tests/fuzz/fuzz.h
tests_fuzz_writer_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_writer_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/batch
tests_fuzz_batch_SOURCES = tests/fuzz/batch.c tests/fuzz/fuzz.h
tests_fuzz_batch_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_batch_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/eap
tests_fuzz_eap_SOURCES = tests/fuzz/eap.c tests/fuzz/fuzz.h
tests_fuzz_eap_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_eap_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/stream
tests_fuzz_stream_SOURCES = tests/fuzz/stream.c tests/fuzz/fuzz.h
tests_fuzz_stream_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_stream_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/nai
tests_fuzz_nai_SOURCES = tests/fuzz/nai.c tests/fuzz/fuzz.h
tests_fuzz_nai_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_nai_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/realms
tests_fuzz_realms_SOURCES = tests/fuzz/realms.c tests/fuzz/fuzz.h
tests_fuzz_realms_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_realms_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/filter
tests_fuzz_filter_SOURCES = tests/fuzz/filter.c tests/fuzz/fuzz.h
tests_fuzz_filter_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_filter_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/dn
tests_fuzz_dn_SOURCES = tests/fuzz/dn.c tests/fuzz/fuzz.h
tests_fuzz_dn_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_dn_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/certificate
tests_fuzz_certificate_SOURCES = tests/fuzz/certificate.c tests/fuzz/general_name.h tests/fuzz/fuzz.h
tests_fuzz_certificate_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_certificate_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/mapping
tests_fuzz_mapping_SOURCES = tests/fuzz/mapping.c tests/fuzz/fuzz.h
tests_fuzz_mapping_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_mapping_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/text
tests_fuzz_text_SOURCES = tests/fuzz/text.c tests/fuzz/fuzz.h
tests_fuzz_text_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_text_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/record
tests_fuzz_record_SOURCES = tests/fuzz/record.c tests/fuzz/fuzz.h modules/sink_fticks/frame.c \
	modules/sink_fticks/line.c modules/sink_fticks/target.c
tests_fuzz_record_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_record_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_record_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/tunnel
tests_fuzz_tunnel_SOURCES = tests/fuzz/tunnel.c tests/fuzz/fuzz.h modules/eap_peap/extensions.c \
	modules/eap_ttls/phase2.c
tests_fuzz_tunnel_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_tunnel_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_tunnel_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/dns
tests_fuzz_dns_SOURCES = tests/fuzz/dns.c tests/fuzz/fuzz.h
tests_fuzz_dns_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_dns_LDADD = $(ldadd_fuzz) -lresolv
fuzzers += tests/fuzz/control
tests_fuzz_control_SOURCES = tests/fuzz/control.c tests/fuzz/fuzz.h
tests_fuzz_control_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_control_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/answers
tests_fuzz_answers_SOURCES = tests/fuzz/answers.c tests/fuzz/fuzz.h
tests_fuzz_answers_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_answers_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/names
tests_fuzz_names_SOURCES = tests/fuzz/names.c tests/fuzz/general_name.h tests/fuzz/fuzz.h
tests_fuzz_names_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_names_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/hello
tests_fuzz_hello_SOURCES = tests/fuzz/hello.c tests/fuzz/fuzz.h
tests_fuzz_hello_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_hello_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/relay
tests_fuzz_relay_SOURCES = tests/fuzz/relay.c tests/fuzz/fuzz.h
tests_fuzz_relay_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_relay_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/ocsp
tests_fuzz_ocsp_SOURCES = tests/fuzz/ocsp.c tests/fuzz/fuzz.h
tests_fuzz_ocsp_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_ocsp_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/lookup
tests_fuzz_lookup_SOURCES = tests/fuzz/lookup.c tests/fuzz/fuzz.h
tests_fuzz_lookup_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_lookup_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/supplicant
tests_fuzz_supplicant_SOURCES = tests/fuzz/supplicant.c tests/fuzz/fuzz.h
tests_fuzz_supplicant_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_supplicant_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/clients
tests_fuzz_clients_SOURCES = tests/fuzz/clients.c tests/fuzz/fuzz.h
tests_fuzz_clients_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_clients_LDADD = $(ldadd_fuzz)
fuzzers += tests/fuzz/http
tests_fuzz_http_SOURCES = tests/fuzz/http.c tests/fuzz/fuzz.h
tests_fuzz_http_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_http_LDADD = $(ldadd_fuzz)
# Modules that are linked in, each under a name of its own.
noinst_LIBRARIES += tests/fuzz/libeap_tls.a
tests_fuzz_libeap_tls_a_SOURCES = modules/eap_tls/eap_tls.c
tests_fuzz_libeap_tls_a_CPPFLAGS = $(AM_CPPFLAGS) -Droamgate_module=module_eap_tls
noinst_LIBRARIES += tests/fuzz/libeap_ttls.a
tests_fuzz_libeap_ttls_a_SOURCES = modules/eap_ttls/eap_ttls.c modules/eap_ttls/phase2.c
tests_fuzz_libeap_ttls_a_CPPFLAGS = $(AM_CPPFLAGS) -Droamgate_module=module_eap_ttls
noinst_LIBRARIES += tests/fuzz/libeap_peap.a
tests_fuzz_libeap_peap_a_SOURCES = modules/eap_peap/eap_peap.c modules/eap_peap/extensions.c
tests_fuzz_libeap_peap_a_CPPFLAGS = $(AM_CPPFLAGS) -Droamgate_module=module_eap_peap
noinst_LIBRARIES += tests/fuzz/libeap_gtc.a
tests_fuzz_libeap_gtc_a_SOURCES = modules/eap_gtc/eap_gtc.c
tests_fuzz_libeap_gtc_a_CPPFLAGS = $(AM_CPPFLAGS) -Droamgate_module=module_eap_gtc
noinst_LIBRARIES += tests/fuzz/libeap_mschapv2.a
tests_fuzz_libeap_mschapv2_a_SOURCES = modules/eap_mschapv2/eap_mschapv2.c
tests_fuzz_libeap_mschapv2_a_CPPFLAGS = $(AM_CPPFLAGS) -Droamgate_module=module_eap_mschapv2
modules_fuzz = tests/fuzz/libeap_tls.a tests/fuzz/libeap_ttls.a tests/fuzz/libeap_peap.a tests/fuzz/libeap_gtc.a \
	tests/fuzz/libeap_mschapv2.a
fuzzers += tests/fuzz/conversation
tests_fuzz_conversation_SOURCES = tests/fuzz/conversation.c tests/fuzz/fuzz.h \
	tests/fuzz/supplicant_says.c tests/fuzz/supplicant_says.h tests/fuzz/toy_tls.c tests/fuzz/toy_tls.h
tests_fuzz_conversation_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_conversation_LDADD = $(modules_fuzz) $(ldadd_fuzz)
noinst_LIBRARIES += tests/fuzz/libdir_ldif.a
tests_fuzz_libdir_ldif_a_SOURCES = $(modules_dir_ldif_dir_ldif_la_SOURCES)
tests_fuzz_libdir_ldif_a_CPPFLAGS = $(AM_CPPFLAGS) -Droamgate_module=module_dir_ldif
noinst_LIBRARIES += tests/fuzz/libdir_ldap.a
tests_fuzz_libdir_ldap_a_SOURCES = $(modules_dir_ldap_dir_ldap_la_SOURCES)
tests_fuzz_libdir_ldap_a_CPPFLAGS = $(AM_CPPFLAGS) -Droamgate_module=module_dir_ldap
noinst_LIBRARIES += tests/fuzz/libsink_fticks.a
tests_fuzz_libsink_fticks_a_SOURCES = $(modules_sink_fticks_sink_fticks_la_SOURCES)
tests_fuzz_libsink_fticks_a_CPPFLAGS = $(AM_CPPFLAGS) -Droamgate_module=module_sink_fticks
fuzzers += tests/fuzz/ldif
tests_fuzz_ldif_SOURCES = tests/fuzz/ldif.c tests/fuzz/fuzz.h
tests_fuzz_ldif_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_ldif_LDADD = tests/fuzz/libdir_ldif.a $(ldadd_fuzz)
fuzzers += tests/fuzz/entry
tests_fuzz_entry_SOURCES = tests/fuzz/entry.c tests/fuzz/fuzz.h
tests_fuzz_entry_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_entry_LDADD = tests/fuzz/libdir_ldap.a $(ldadd_fuzz)
if HAVE_CMOCKA
fuzzers += tests/fuzz/config
endif
tests_fuzz_config_SOURCES = tests/fuzz/config.c tests/fuzz/fuzz.h tests/unit/config/kit.c tests/unit/config/kit.h
tests_fuzz_config_LDFLAGS = $(ldflags_fuzz)
tests_fuzz_config_LDADD = $(modules_fuzz) tests/fuzz/libdir_ldif.a tests/fuzz/libdir_ldap.a tests/fuzz/libsink_fticks.a \
	$(ldadd_fuzz) $(CMOCKA_LIBS)
TESTS += tests/fuzz/run
endif
EXTRA_DIST += tests/fuzz/run tests/fuzz/README.md tests/fuzz/seeds tests/fuzz/fuzz.h
EXTRA_DIST += tests/fuzz/packet.c tests/fuzz/writer.c tests/fuzz/eap.c tests/fuzz/nai.c tests/fuzz/realms.c \
	tests/fuzz/filter.c tests/fuzz/dn.c tests/fuzz/certificate.c tests/fuzz/mapping.c tests/fuzz/text.c tests/fuzz/record.c \
	tests/fuzz/tunnel.c tests/fuzz/dns.c tests/fuzz/control.c
EXTRA_DIST += tests/fuzz/conversation.c tests/fuzz/supplicant_says.c tests/fuzz/supplicant_says.h tests/fuzz/toy_tls.c \
	tests/fuzz/toy_tls.h tests/fuzz/make_seeds tests/fuzz/stream.c tests/fuzz/config.c tests/fuzz/batch.c \
	tests/fuzz/names.c tests/fuzz/hello.c tests/fuzz/relay.c tests/fuzz/ocsp.c \
	tests/fuzz/lookup.c tests/fuzz/supplicant.c tests/fuzz/clients.c tests/fuzz/http.c \
	tests/fuzz/entry.c tests/fuzz/ldif.c tests/fuzz/answers.c tests/fuzz/general_name.h
