/* In which order found records are tried. */
#include "discover/order.h"

#include <stdio.h>

#include "zone.h"

static const struct rg_service_tag tags[] = {
	{"x-eduroam:radius.tls", RG_TRANSPORT_TLS},
	{"aaa+auth:radius.tls.tcp", RG_TRANSPORT_TLS},
	{"aaa+auth:radius.dtls.udp", RG_TRANSPORT_DTLS},
};

static struct rg_dns_record naptr(uint16_t order, uint16_t preference, const char *service,
				  const char *to)
{
	struct rg_dns_record record = {
		.is.naptr = {.order = order, .preference = preference, .flag = 's'}};
	snprintf(record.is.naptr.service, sizeof(record.is.naptr.service), "%s", service);
	snprintf(record.is.naptr.replacement, sizeof(record.is.naptr.replacement), "%s", to);
	return record;
}

static void naptr_records_stand_by_order_preference_and_tag(void **state)
{
	(void)state;
	size_t tag[RG_DNS_RECORDS_MOST];
	struct rg_dns_record records[] = {
		naptr(50, 60, "sip+d2t", "sip"),
		naptr(100, 20, "aaa+auth:radius.tls.tcp", "third"),
		naptr(100, 10, "aaa+auth:radius.dtls.udp", "second"),
		naptr(200, 1, "x-eduroam:radius.tls", "of a higher order"),
		naptr(100, 10, "x-eduroam:radius.tls", "first"),
		naptr(100, 1, "aaa+acct:radius.tls.tcp", "accounting"),
	};
	assert_int_equal(naptr_order(records, 6, tags, 3, tag), 3);
	assert_string_equal(records[0].is.naptr.replacement, "first");
	assert_string_equal(records[1].is.naptr.replacement, "second");
	assert_string_equal(records[2].is.naptr.replacement, "third");
	assert_int_equal(tag[0], 0);
	assert_int_equal(tag[1], 2);
	assert_int_equal(tag[2], 1);
	assert_int_equal(naptr_order(records, 0, tags, 3, tag), 0);
	struct rg_dns_record others[] = {naptr(1, 1, "sip+d2t", "sip")};
	assert_int_equal(naptr_order(others, 1, tags, 3, tag), 0);
}

static struct rg_dns_record srv(uint16_t priority, uint16_t weight, uint16_t port)
{
	return (struct rg_dns_record){
		.is.srv = {.priority = priority, .weight = weight, .port = port}};
}

static void srv_records_stand_by_priority_and_weight(void **state)
{
	(void)state;
	unsigned heavy_first = 0, light_first = 0;
	for (unsigned i = 0; i < 2000; i++) {
		struct rg_dns_record records[] = {srv(20, 100, 5), srv(10, 0, 1), srv(10, 30, 2),
						  srv(10, 10, 3), srv(15, 0, 4)};
		bool seen[6] = {false};
		srv_order(records, 5);
		for (unsigned j = 0; j < 5; j++) {
			assert_false(seen[records[j].is.srv.port]);
			seen[records[j].is.srv.port] = true;
			if (j > 0)
				assert_true(records[j].is.srv.priority >=
					    records[j - 1].is.srv.priority);
		}
		assert_int_equal(records[3].is.srv.port, 4);
		assert_int_equal(records[4].is.srv.port, 5);
		heavy_first += records[0].is.srv.port == 2;
		light_first += records[0].is.srv.port == 1;
	}
	/* Three quarters, and next to never; by chance alone this fails less than once in 10^20
	 * runs. */
	assert_true(heavy_first > 1300 && heavy_first < 1700);
	assert_true(light_first < 100);
}

static void one_weight_for_all_is_a_fair_draw(void **state)
{
	(void)state;
	unsigned first[3] = {0};
	for (unsigned i = 0; i < 3000; i++) {
		struct rg_dns_record records[] = {srv(0, 0, 0), srv(0, 0, 1), srv(0, 0, 2)};
		srv_order(records, 3);
		first[records[0].is.srv.port]++;
	}
	for (unsigned i = 0; i < 3; i++)
		assert_true(first[i] > 700 && first[i] < 1300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(naptr_records_stand_by_order_preference_and_tag),
		cmocka_unit_test(srv_records_stand_by_priority_and_weight),
		cmocka_unit_test(one_weight_for_all_is_a_fair_draw),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
