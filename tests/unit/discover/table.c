/* The memory of realms: bounded, whatever is asked for (attacks.md O8). */
#include "discover/table.h"

#include <stdio.h>
#include <stdlib.h>

#include "zone.h"

static const struct rg_service_tag tag[] = {{"aaa+auth:radius.tls.tcp", RG_TRANSPORT_TLS},
					    {"x-eduroam:radius.tls", RG_TRANSPORT_TLS}};

static struct rg_found *found_of(enum rg_found_outcome outcome)
{
	struct rg_found *found = calloc(1, sizeof(*found));
	atomic_init(&found->references, 1);
	found->outcome = outcome;
	return found;
}

static void learn(struct rg_table *table, const char *realm, enum rg_found_outcome outcome)
{
	table_learn(table, table_add(table, realm, tag, 1), found_of(outcome));
}

static void entries_are_by_realm_and_tags(void **state)
{
	(void)state;
	struct rg_table table;
	assert_true(table_init(&table, 16));
	struct rg_entry *entry = table_add(&table, "druten.nl", tag, 2);
	assert_ptr_equal(table_find(&table, "druten.nl", tag, 2), entry);
	assert_null(table_find(&table, "druten.nl", tag, 1));
	assert_null(table_find(&table, "druten.nl", tag + 1, 1));
	assert_null(table_find(&table, "wijchen.nl", tag, 2));
	assert_string_equal(entry->tags[1].text, "x-eduroam:radius.tls");
	assert_string_equal(entry->realm, "druten.nl");
	table_learn(&table, entry, NULL);
	assert_null(table_find(&table, "druten.nl", tag, 2));
	table_destroy(&table);
}

static void O8_a_million_realms_leave_what_was_found(void **state)
{
	(void)state;
	struct rg_table table;
	char realm[64];
	assert_true(table_init(&table, 1000));
	for (unsigned i = 0; i < 500; i++) {
		snprintf(realm, sizeof(realm), "good%u.nl", i);
		learn(&table, realm, RG_FOUND_PEERS);
	}
	for (unsigned i = 0; i < 1000000; i++) {
		snprintf(realm, sizeof(realm), "r%u.example", i);
		learn(&table, realm, i % 2 ? RG_FOUND_NONE : RG_FOUND_UNAVAILABLE);
		assert_true(table.known <= 1000);
	}
	for (unsigned i = 0; i < 500; i++) {
		snprintf(realm, sizeof(realm), "good%u.nl", i);
		assert_non_null(table_find(&table, realm, tag, 1));
	}
	assert_null(table_find(&table, "r0.example", tag, 1));
	assert_non_null(table_find(&table, "r999999.example", tag, 1));
	/* What was found goes as well once there is too much of it, the oldest first. */
	for (unsigned i = 500; i < 2000; i++) {
		snprintf(realm, sizeof(realm), "good%u.nl", i);
		learn(&table, realm, RG_FOUND_PEERS);
	}
	assert_int_equal(table.known, 1000);
	assert_null(table_find(&table, "good0.nl", tag, 1));
	assert_non_null(table_find(&table, "good1999.nl", tag, 1));
	table_destroy(&table);
}

static void what_is_asked_again_keeps_what_was_known(void **state)
{
	(void)state;
	struct rg_table table;
	assert_true(table_init(&table, 16));
	learn(&table, "a.nl", RG_FOUND_PEERS);
	learn(&table, "b.nl", RG_FOUND_PEERS);
	learn(&table, "c.nl", RG_FOUND_PEERS);
	struct rg_entry *entry = table_find(&table, "b.nl", tag, 1);
	table_forget(&table, entry);
	assert_int_equal(table.known, 2);
	assert_int_equal(entry->found->outcome, RG_FOUND_PEERS);
	assert_ptr_equal(table_find(&table, "b.nl", tag, 1), entry);
	table_learn(&table, entry, found_of(RG_FOUND_NONE));
	assert_int_equal(table.known, 3);
	assert_ptr_equal(table.nothing.oldest, entry);
	assert_string_equal(table.found.newest->realm, "c.nl");
	assert_string_equal(table.found.newest->older->realm, "a.nl");
	table_destroy(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_by_realm_and_tags),
		cmocka_unit_test(O8_a_million_realms_leave_what_was_found),
		cmocka_unit_test(what_is_asked_again_keeps_what_was_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
