/* Answers of resolvers, good and hostile, octet by octet (attacks.md N1). */
#include "zone.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

static uint8_t octets[65536];

static struct rg_buffer begin(uint16_t flags, unsigned answers, unsigned type)
{
	struct rg_buffer buffer = buffer_over(octets, sizeof(octets));
	wire_head(&buffer, flags, answers, 0, "druten.nl", type);
	return buffer;
}

/* On memory of just that size, so that a sanitizer sees an octet read beyond. */
static struct rg_dns_answer read_all(const struct rg_buffer *buffer, const char *name,
				     enum rg_dns_type type)
{
	static struct rg_dns_answer answer;
	assert_false(buffer->failed);
	uint8_t *exact = malloc(buffer->length + 1);
	memcpy(exact, buffer->data, buffer->length);
	dns_answer_read(&answer, span_of(exact, buffer->length), name, type);
	free(exact);
	return answer;
}

static void naptr_srv_and_addresses_are_read(void **state)
{
	(void)state;
	struct rg_buffer buffer = begin(WIRE_ANSWER, 1, RG_DNS_NAPTR);
	wire_naptr(&buffer, "Druten.NL", 300, 100, 10, "S", "AAA+auth:Radius.tls.TCP", "",
		   "_radiustls._tcp.Example.nl");
	struct rg_dns_answer answer = read_all(&buffer, "druten.nl", RG_DNS_NAPTR);
	assert_int_equal(answer.outcome, RG_DNS_FOUND);
	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.ttl_s, 300);
	assert_int_equal(answer.records[0].is.naptr.order, 100);
	assert_int_equal(answer.records[0].is.naptr.preference, 10);
	assert_int_equal(answer.records[0].is.naptr.flag, 's');
	assert_string_equal(answer.records[0].is.naptr.service, "aaa+auth:radius.tls.tcp");
	assert_string_equal(answer.records[0].is.naptr.replacement, "_radiustls._tcp.example.nl");

	buffer = begin(WIRE_ANSWER, 2, RG_DNS_SRV);
	wire_srv(&buffer, "druten.nl", 50, 1, 2, 2083, "radsec.example.nl");
	wire_srv(&buffer, "druten.nl", 40, 2, 3, 2084, "radsec2.example.nl");
	answer = read_all(&buffer, "DRUTEN.nl", RG_DNS_SRV);
	assert_int_equal(answer.count, 2);
	assert_int_equal(answer.ttl_s, 40);
	assert_int_equal(answer.records[1].is.srv.port, 2084);
	assert_string_equal(answer.records[1].is.srv.target, "radsec2.example.nl");

	buffer = begin(WIRE_ANSWER, 1, RG_DNS_AAAA);
	wire_address(&buffer, "druten.nl", 9, "2001:db8::7");
	answer = read_all(&buffer, "druten.nl", RG_DNS_AAAA);
	char text[64];
	address_text(text, &answer.records[0].is.address);
	assert_string_equal(text, "[2001:db8::7]:0");
}

static void compressed_names_are_read(void **state)
{
	(void)state;
	struct rg_buffer buffer = begin(WIRE_ANSWER, 1, RG_DNS_SRV);
	buffer_u16(&buffer, 0xc00c); /* the question's name */
	buffer_u16(&buffer, RG_DNS_SRV);
	buffer_u16(&buffer, 1);
	buffer_u32(&buffer, 60);
	buffer_u16(&buffer, 6 + 4 + 2);
	buffer_u16(&buffer, 0);
	buffer_u16(&buffer, 0);
	buffer_u16(&buffer, 2083);
	buffer_u8(&buffer, 3);
	buffer_put(&buffer, span_text("www"));
	buffer_u16(&buffer, 0xc00c);
	struct rg_dns_answer answer = read_all(&buffer, "druten.nl", RG_DNS_SRV);
	assert_int_equal(answer.outcome, RG_DNS_FOUND);
	assert_string_equal(answer.records[0].is.srv.target, "www.druten.nl");
}

static void an_alias_is_followed_in_any_order(void **state)
{
	(void)state;
	struct rg_buffer buffer = begin(WIRE_ANSWER, 3, RG_DNS_A);
	wire_address(&buffer, "c.example", 300, "192.0.2.3");
	wire_alias(&buffer, "b.example", 20, "c.example");
	wire_alias(&buffer, "druten.nl", 200, "b.example");
	struct rg_dns_answer answer = read_all(&buffer, "druten.nl", RG_DNS_A);
	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.ttl_s, 20);
}

static void N1_records_of_another_name_type_or_class_are_not_taken(void **state)
{
	(void)state;
	struct rg_buffer buffer = begin(WIRE_ANSWER, 3, RG_DNS_A);
	wire_address(&buffer, "evil.example", 60, "192.0.2.1");
	wire_address(&buffer, "druten.nl", 60, "2001:db8::1");
	wire_address(&buffer, "druten.nl", 60, "192.0.2.2");
	buffer.data[buffer.length - 11] = 3; /* class CH */
	struct rg_dns_answer answer = read_all(&buffer, "druten.nl", RG_DNS_A);
	assert_int_equal(answer.outcome, RG_DNS_NONE);
	assert_int_equal(answer.count, 0);
}

static void N1_aliases_that_go_round_end(void **state)
{
	(void)state;
	struct rg_buffer buffer = begin(WIRE_ANSWER, 3, RG_DNS_A);
	wire_alias(&buffer, "druten.nl", 60, "b.example");
	wire_alias(&buffer, "b.example", 60, "druten.nl");
	wire_address(&buffer, "druten.nl", 60, "192.0.2.2");
	assert_int_equal(read_all(&buffer, "druten.nl", RG_DNS_A).outcome, RG_DNS_UNAVAILABLE);
}

static void N1_pointers_that_go_round_or_forward_end(void **state)
{
	(void)state;
	static const uint16_t pointers[] = {0xc01b /* itself */, 0xc020, 0xffff, 0x401b, 0x801b};
	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
		struct rg_buffer buffer = begin(WIRE_ANSWER, 1, RG_DNS_A);
		assert_int_equal(buffer.length, 0x1b);
		buffer_u16(&buffer, pointers[i]);
		buffer_u16(&buffer, RG_DNS_A);
		buffer_u16(&buffer, 1);
		buffer_u32(&buffer, 60);
		buffer_u16(&buffer, 4);
		buffer_u32(&buffer, 0xc0000201);
		struct rg_dns_answer answer = read_all(&buffer, "druten.nl", RG_DNS_A);
		assert_int_equal(answer.outcome, RG_DNS_UNAVAILABLE);
		assert_int_equal(answer.count, 0);
	}
}

/* Each pointer goes back, but the labels between add up. */
static void N1_a_name_that_grows_by_pointers_ends(void **state)
{
	(void)state;
	struct rg_buffer buffer = begin(WIRE_ANSWER, 2, RG_DNS_SRV);
	size_t record = wire_record(&buffer, "other.example", RG_DNS_SRV, 60), first = 0xc;
	buffer_u32(&buffer, 0);
	buffer_u16(&buffer, 2083);
	for (unsigned i = 0; i < 6; i++) {
		size_t here = buffer.length;
		buffer_u8(&buffer, 63);
		for (unsigned j = 0; j < 63; j++)
			buffer_u8(&buffer, 'a');
		buffer_u16(&buffer, (uint16_t)(0xc000 | first));
		first = here;
	}
	wire_end(&buffer, record);
	record = wire_record(&buffer, "druten.nl", RG_DNS_SRV, 60);
	buffer_u32(&buffer, 0);
	buffer_u16(&buffer, 2083);
	buffer_u16(&buffer, (uint16_t)(0xc000 | first));
	wire_end(&buffer, record);
	assert_int_equal(read_all(&buffer, "druten.nl", RG_DNS_SRV).outcome, RG_DNS_UNAVAILABLE);
}

static void N1_names_that_no_host_has_are_left_out(void **state)
{
	(void)state;
	static const char *const names[] = {
		"", "a b.nl", "x\ny.nl", "x'\"$(id).nl", "\xc3\xa9.nl", "%s%n.nl"};
	struct rg_buffer buffer = begin(WIRE_ANSWER, 7, RG_DNS_SRV);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		wire_srv(&buffer, "druten.nl", 60, 0, 0, 2083, names[i]);
	wire_srv(&buffer, "druten.nl", 60, 0, 0, 0, "port0.example");
	struct rg_dns_answer answer = read_all(&buffer, "druten.nl", RG_DNS_SRV);
	assert_int_equal(answer.outcome, RG_DNS_NONE);
	/* A dot or a NUL inside a label. */
	buffer = begin(WIRE_ANSWER, 1, RG_DNS_SRV);
	size_t record = wire_record(&buffer, "druten.nl", RG_DNS_SRV, 60);
	buffer_u32(&buffer, 0);
	buffer_u16(&buffer, 2083);
	buffer_put(&buffer, span_of("\7a.evil\0\0", 9));
	wire_end(&buffer, record);
	assert_int_equal(read_all(&buffer, "druten.nl", RG_DNS_SRV).outcome, RG_DNS_NONE);
}

static void N1_naptr_with_a_regular_expression_or_two_flags_is_left_out(void **state)
{
	(void)state;
	char service[256];
	memset(service, 'x', sizeof(service) - 1);
	service[255] = '\0';
	struct rg_buffer buffer = begin(WIRE_ANSWER, 4, RG_DNS_NAPTR);
	wire_naptr(&buffer, "druten.nl", 60, 1, 1, "s", "x-eduroam:radius.tls", "!.*!evil.example!",
		   "a.nl");
	wire_naptr(&buffer, "druten.nl", 60, 1, 1, "sa", "x-eduroam:radius.tls", "", "a.nl");
	wire_naptr(&buffer, "druten.nl", 60, 1, 1, "s", service, "", "a.nl");
	wire_naptr(&buffer, "druten.nl", 60, 1, 1, "s", "x-eduroam:radius.tls", "", "");
	assert_int_equal(read_all(&buffer, "druten.nl", RG_DNS_NAPTR).outcome, RG_DNS_NONE);
}

static void N1_counts_are_capped(void **state)
{
	(void)state;
	struct rg_buffer buffer = begin(WIRE_ANSWER, 200, RG_DNS_A);
	for (unsigned i = 0; i < 200; i++)
		wire_address(&buffer, "druten.nl", 60, "192.0.2.1");
	assert_int_equal(read_all(&buffer, "druten.nl", RG_DNS_A).count, RG_DNS_RECORDS_MOST);
	buffer = begin(WIRE_ANSWER, 2000, RG_DNS_A);
	for (unsigned i = 0; i < 2000; i++)
		wire_address(&buffer, "druten.nl", 60, "192.0.2.1");
	assert_int_equal(read_all(&buffer, "druten.nl", RG_DNS_A).outcome, RG_DNS_UNAVAILABLE);
	/* More is said than is there. */
	buffer = begin(WIRE_ANSWER, 3, RG_DNS_A);
	wire_address(&buffer, "druten.nl", 60, "192.0.2.1");
	assert_int_equal(read_all(&buffer, "druten.nl", RG_DNS_A).outcome, RG_DNS_UNAVAILABLE);
}

static void N1_lengths_that_lie_are_told(void **state)
{
	(void)state;
	static const int lengths[] = {0, 3, 5, 255, 65535};
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct rg_buffer buffer = begin(WIRE_ANSWER, 1, RG_DNS_A);
		wire_address(&buffer, "druten.nl", 60, "192.0.2.1");
		buffer.data[buffer.length - 6] = (uint8_t)(lengths[i] >> 8);
		buffer.data[buffer.length - 5] = (uint8_t)lengths[i];
		assert_int_equal(read_all(&buffer, "druten.nl", RG_DNS_A).outcome,
				 RG_DNS_UNAVAILABLE);
	}
	/* An SRV record with an octet behind its target. */
	struct rg_buffer buffer = begin(WIRE_ANSWER, 1, RG_DNS_SRV);
	size_t record = wire_record(&buffer, "druten.nl", RG_DNS_SRV, 60);
	buffer_u32(&buffer, 0);
	buffer_u16(&buffer, 2083);
	wire_name(&buffer, "radsec.example.nl");
	buffer_u8(&buffer, 0);
	wire_end(&buffer, record);
	assert_int_equal(read_all(&buffer, "druten.nl", RG_DNS_SRV).outcome, RG_DNS_UNAVAILABLE);
}

/* Cut anywhere, or with any octet another: no crash, and nothing but what was there. */
static void N1_every_cut_and_every_octet(void **state)
{
	(void)state;
	struct rg_buffer whole = begin(WIRE_ANSWER, 2, RG_DNS_NAPTR);
	wire_alias(&whole, "druten.nl", 60, "b.example");
	wire_naptr(&whole, "b.example", 60, 1, 2, "s", "x-eduroam:radius.tls", "", "srv.example");
	for (size_t length = 0; length < whole.length; length++) {
		struct rg_buffer cut = whole;
		cut.length = length;
		assert_int_equal(read_all(&cut, "druten.nl", RG_DNS_NAPTR).outcome,
				 RG_DNS_UNAVAILABLE);
	}
	for (size_t i = 0; i < whole.length; i++) {
		uint8_t kept = whole.data[i];
		for (unsigned value = 0; value < 256; value++) {
			whole.data[i] = (uint8_t)value;
			struct rg_dns_answer answer = read_all(&whole, "druten.nl", RG_DNS_NAPTR);
			assert_true(answer.count <= 1);
			if (answer.count == 1)
				assert_true(
					dns_name_is_good(answer.records[0].is.naptr.replacement));
		}
		whole.data[i] = kept;
	}
}

static void what_is_not_there_is_kept_as_its_soa_says(void **state)
{
	(void)state;
	static const uint32_t pairs[][3] = {{900, 60, 60}, {30, 600, 30}, {0, 600, 0}};
	for (size_t i = 0; i < 3; i++) {
		struct rg_buffer buffer = buffer_over(octets, sizeof(octets));
		wire_head(&buffer, WIRE_ANSWER | 3, 0, 1, "druten.nl", RG_DNS_NAPTR);
		size_t record = wire_record(&buffer, "nl", RG_DNS_SOA, pairs[i][0]);
		wire_name(&buffer, "ns.nl");
		wire_name(&buffer, "hostmaster.nl");
		for (unsigned j = 0; j < 4; j++)
			buffer_u32(&buffer, 1);
		buffer_u32(&buffer, pairs[i][1]);
		wire_end(&buffer, record);
		struct rg_dns_answer answer = read_all(&buffer, "druten.nl", RG_DNS_NAPTR);
		assert_int_equal(answer.outcome, RG_DNS_NONE);
		assert_int_equal(answer.ttl_s, pairs[i][2]);
	}
}

static void a_server_that_fails_has_said_nothing(void **state)
{
	(void)state;
	for (uint16_t rcode = 0; rcode < 16; rcode++) {
		struct rg_buffer buffer = begin((uint16_t)(WIRE_ANSWER | rcode), 0, RG_DNS_A);
		assert_int_equal(read_all(&buffer, "druten.nl", RG_DNS_A).outcome,
				 rcode == 0 || rcode == 3 ? RG_DNS_NONE : RG_DNS_UNAVAILABLE);
	}
	struct rg_buffer buffer = begin(0x0100, 0, RG_DNS_A); /* a question */
	assert_int_equal(read_all(&buffer, "druten.nl", RG_DNS_A).outcome, RG_DNS_UNAVAILABLE);
}

/* RFC 2181 §8. */
static void a_ttl_with_its_first_bit_set_is_none(void **state)
{
	(void)state;
	struct rg_buffer buffer = begin(WIRE_ANSWER, 1, RG_DNS_A);
	wire_address(&buffer, "druten.nl", 0x80000001, "192.0.2.1");
	assert_int_equal(read_all(&buffer, "druten.nl", RG_DNS_A).ttl_s, 0);
}

static void names_to_ask_for(void **state)
{
	(void)state;
	char label[80], name[400];
	memset(label, 'a', sizeof(label));
	label[63] = '\0';
	assert_true(dns_name_is_good("druten.nl"));
	assert_true(dns_name_is_good("_radiustls._tcp.x--y.nl"));
	assert_true(dns_name_is_good(label));
	snprintf(name, sizeof(name), "%s.%s.%s.%.61s", label, label, label, label);
	assert_int_equal(strlen(name), 253);
	assert_true(dns_name_is_good(name));
	strcat(name, "a");
	assert_false(dns_name_is_good(name));
	label[63] = 'a';
	label[64] = '\0';
	assert_false(dns_name_is_good(label));
	static const char *const bad[] = {"",    ".",    "a.",          ".a",  "a..b", "a b",
					  "a/b", "a\tb", "\xc3\xa9.nl", "a%b", "a@b"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(dns_name_is_good(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(naptr_srv_and_addresses_are_read),
		cmocka_unit_test(compressed_names_are_read),
		cmocka_unit_test(an_alias_is_followed_in_any_order),
		cmocka_unit_test(N1_records_of_another_name_type_or_class_are_not_taken),
		cmocka_unit_test(N1_aliases_that_go_round_end),
		cmocka_unit_test(N1_pointers_that_go_round_or_forward_end),
		cmocka_unit_test(N1_a_name_that_grows_by_pointers_ends),
		cmocka_unit_test(N1_names_that_no_host_has_are_left_out),
		cmocka_unit_test(N1_naptr_with_a_regular_expression_or_two_flags_is_left_out),
		cmocka_unit_test(N1_counts_are_capped),
		cmocka_unit_test(N1_lengths_that_lie_are_told),
		cmocka_unit_test(N1_every_cut_and_every_octet),
		cmocka_unit_test(what_is_not_there_is_kept_as_its_soa_says),
		cmocka_unit_test(a_server_that_fails_has_said_nothing),
		cmocka_unit_test(a_ttl_with_its_first_bit_set_is_none),
		cmocka_unit_test(names_to_ask_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
