/* Which addresses a found peer may have (attacks.md N1). */
#include "discover/address.h"

#include <arpa/inet.h>

#include "zone.h"

static enum rg_address_kind kind_of(const char *text)
{
	union rg_address address = {.any.sa_family = strchr(text, ':') ? AF_INET6 : AF_INET};
	void *octets = address.any.sa_family == AF_INET6 ? (void *)&address.v6.sin6_addr
							 : (void *)&address.v4.sin_addr;
	assert_int_equal(inet_pton(address.any.sa_family, text, octets), 1);
	return address_kind(&address);
}

static void N1_addresses_are_of_the_kind_that_they_are(void **state)
{
	(void)state;
	static const char *const global[] = {
		"1.1.1.1",        "192.0.2.1",      "172.15.255.255",   "172.32.0.0",
		"100.63.255.255", "100.128.0.0",    "223.255.255.255",  "2001:db8::1",
		"2a00:1450::1",   "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"};
	static const char *const private[] = {"10.0.0.1",    "172.16.0.1",      "172.31.255.255",
					      "192.168.1.1", "100.64.0.1",      "fd00::1",
					      "fc00::1",     "::ffff:10.0.0.1", "64:ff9b::a00:1"};
	static const char *const loopback[] = {
		"127.0.0.1",        "127.255.0.1",     "::1",
		"::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"};
	static const char *const forbidden[] = {"0.0.0.0",
						"0.1.2.3",
						"169.254.169.254",
						"224.0.0.1",
						"239.1.1.1",
						"240.0.0.1",
						"255.255.255.255",
						"::",
						"fe80::1",
						"febf::1",
						"fec0::1",
						"ff02::1",
						"::ffff:169.254.0.1",
						"::ffff:0.0.0.0",
						"4000::1",
						"100::1"};
	for (size_t i = 0; i < sizeof(global) / sizeof(global[0]); i++)
		assert_int_equal(kind_of(global[i]), RG_ADDRESS_GLOBAL);
	for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++)
		assert_int_equal(kind_of(private[i]), RG_ADDRESS_PRIVATE);
	for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++)
		assert_int_equal(kind_of(loopback[i]), RG_ADDRESS_LOOPBACK);
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		assert_int_equal(kind_of(forbidden[i]), RG_ADDRESS_FORBIDDEN);
	union rg_address none = {.any.sa_family = AF_UNSPEC};
	assert_int_equal(address_kind(&none), RG_ADDRESS_FORBIDDEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(N1_addresses_are_of_the_kind_that_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
