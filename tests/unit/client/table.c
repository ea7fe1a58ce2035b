/* Who may ask, by address. */
#include "client/table.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct rg_prefix prefix(const char *text, unsigned bits)
{
	struct rg_prefix made = {.bits = (uint8_t)bits};
	if (strchr(text, ':')) {
		assert_int_equal(inet_pton(AF_INET6, text, made.address), 1);
	} else {
		memset(made.address + 10, 0xff, 2);
		assert_int_equal(inet_pton(AF_INET, text, made.address + 12), 1);
		made.bits = (uint8_t)(bits + 96);
	}
	return made;
}

static const char *who(const struct rg_client_table *table, const char *text)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	const struct sockaddr *source = (struct sockaddr *)&in;
	if (inet_pton(AF_INET, text, &in.sin_addr) != 1) {
		assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
		source = (struct sockaddr *)&in6;
	}
	const struct rg_client *client = client_table_find(table, source);
	return client ? client->name : "nobody";
}

static void the_longest_prefix_wins(void **state)
{
	(void)state;
	struct rg_prefix wide[] = {prefix("10.0.0.0", 8), prefix("fd00::", 8)};
	struct rg_prefix narrow[] = {prefix("10.20.0.0", 16), prefix("fd00:20::", 48)};
	struct rg_prefix one[] = {prefix("10.20.30.40", 32), prefix("fd00:20::1", 128)};
	struct rg_prefix odd[] = {prefix("10.20.30.32", 27), prefix("10.20.128.0", 17)};
	const struct rg_client clients[] = {
		{.name = "wide", .transports = RG_OVER_UDP, .addresses = wide, .address_count = 2},
		{.name = "one", .transports = RG_OVER_UDP, .addresses = one, .address_count = 2},
		{.name = "narrow", .transports = RG_OVER_UDP, .addresses = narrow, .address_count = 2},
		{.name = "odd", .transports = RG_OVER_UDP, .addresses = odd, .address_count = 2},
	};
	struct rg_client_table *table = client_table_new(clients, 4, RG_OVER_UDP);
	assert_string_equal(who(table, "10.1.2.3"), "wide");
	assert_string_equal(who(table, "10.20.2.3"), "narrow");
	assert_string_equal(who(table, "10.20.30.40"), "one");
	assert_string_equal(who(table, "10.20.30.41"), "odd");
	assert_string_equal(who(table, "10.20.30.31"), "narrow");
	assert_string_equal(who(table, "10.20.200.1"), "odd");
	assert_string_equal(who(table, "11.0.0.0"), "nobody");
	assert_string_equal(who(table, "fd00:20::1"), "one");
	assert_string_equal(who(table, "fd00:20::2"), "narrow");
	assert_string_equal(who(table, "fd00:21::2"), "wide");
	assert_string_equal(who(table, "fe00::"), "nobody");
	/* IPv4 in IPv6 is IPv4. */
	assert_string_equal(who(table, "::ffff:10.20.30.40"), "one");
	assert_string_equal(who(table, "::10.20.30.40"), "nobody");
	client_table_free(&table);
	assert_null(table);
}

static void everybody_and_nobody(void **state)
{
	(void)state;
	struct rg_prefix four[] = {prefix("0.0.0.0", 0)}, all[] = {prefix("::", 0)};
	const struct rg_client clients[] = {
		{.name = "four", .transports = RG_OVER_UDP, .addresses = four, .address_count = 1},
		{.name = "all", .transports = RG_OVER_UDP, .addresses = all, .address_count = 1}};
	struct rg_client_table *table = client_table_new(clients, 2, RG_OVER_UDP);
	assert_string_equal(who(table, "1.2.3.4"), "four");
	assert_string_equal(who(table, "::1"), "all");
	client_table_free(&table);
	table = client_table_new(NULL, 0, RG_OVER_UDP);
	assert_string_equal(who(table, "1.2.3.4"), "nobody");
	struct sockaddr local = {.sa_family = AF_UNIX};
	assert_null(client_table_find(table, &local));
	client_table_free(&table);
}

static void whom_another_transport_tells_by_name_has_no_address_of_udp(void **state)
{
	(void)state;
	struct rg_prefix site[] = {prefix("10.20.0.0", 16)}, proxy[] = {prefix("10.20.30.40", 32)};
	const struct rg_client clients[] = {
		{.name = "site", .transports = RG_OVER_UDP, .addresses = site, .address_count = 1},
		{.name = "proxy",
		 .transports = RG_OVER_TLS | RG_OVER_DTLS,
		 .addresses = proxy,
		 .address_count = 1},
	};
	struct rg_client_table *table = client_table_new(clients, 2, RG_OVER_UDP);
	assert_string_equal(who(table, "10.20.30.40"), "site");
	client_table_free(&table);
	table = client_table_new(clients, 2, RG_OVER_DTLS);
	assert_string_equal(who(table, "10.20.30.40"), "proxy");
	assert_string_equal(who(table, "10.20.30.41"), "nobody");
	client_table_free(&table);
}

static void ten_thousand_prefixes_each_find_their_own(void **state)
{
	(void)state;
	enum { COUNT = 10000 };
	struct rg_prefix *prefixes = calloc(COUNT, sizeof(*prefixes));
	struct rg_client *clients = calloc(COUNT, sizeof(*clients));
	for (unsigned i = 0; i < COUNT; i++) {
		char text[32];
		snprintf(text, sizeof(text), "10.%u.%u.0", i / 100, i % 100);
		prefixes[i] = prefix(text, 24);
		clients[i] = (struct rg_client){
			.name = "one",
			.transports = RG_OVER_UDP,
			.addresses = &prefixes[i],
			.address_count = 1,
			.number = i,
		};
	}
	struct rg_client_table *table = client_table_new(clients, COUNT, RG_OVER_UDP);
	for (unsigned i = 0; i < COUNT; i++) {
		struct sockaddr_in in = {.sin_family = AF_INET};
		in.sin_addr.s_addr = htonl(10u << 24 | (i / 100) << 16 | (i % 100) << 8 | (i & 255));
		const struct rg_client *client = client_table_find(table, (struct sockaddr *)&in);
		assert_non_null(client);
		assert_int_equal(client->number, i);
	}
	assert_string_equal(who(table, "10.100.0.1"), "nobody");
	client_table_free(&table);
	free(prefixes);
	free(clients);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_wins),
		cmocka_unit_test(everybody_and_nobody),
		cmocka_unit_test(whom_another_transport_tells_by_name_has_no_address_of_udp),
		cmocka_unit_test(ten_thousand_prefixes_each_find_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
