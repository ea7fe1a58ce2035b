#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "eap/session.h"

#define MOST 64

static int set_up(void **state)
{
	static struct rg_session_table table;
	*state = &table;
	return session_table_init(&table, MOST, 3, 1) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct rg_session_table *table = *state;
	struct rg_session *session;
	while ((session = session_any(table)))
		session_free(table, &session);
	int left = (int)table->count;
	session_table_destroy(table);
	return left;
}

static void P4_state_finds_its_session_and_no_other(void **state)
{
	struct rg_session_table *table = *state;
	struct rg_session *a = session_new(table, "a"), *b = session_new(table, "a");
	uint8_t of_a[RG_STATE_LENGTH], of_b[RG_STATE_LENGTH];
	uint16_t worker;
	session_state(table, a, of_a);
	session_state(table, b, of_b);
	assert_memory_not_equal(of_a, of_b, sizeof(of_a));
	assert_int_equal(session_state_owner(table, span_of(of_a, sizeof(of_a)), &worker),
			 RG_STATE_MINE);
	assert_ptr_equal(session_find(table, span_of(of_a, sizeof(of_a))), a);
	assert_ptr_equal(session_find(table, span_of(of_b, sizeof(of_b))), b);
	/* Another session's slot with this one's tag. */
	uint8_t mixed[RG_STATE_LENGTH];
	memcpy(mixed, of_a, sizeof(mixed));
	memcpy(mixed + 4, of_b + 4, 4);
	assert_null(session_find(table, span_of(mixed, sizeof(mixed))));
}

static void P4_forged_state(void **state)
{
	struct rg_session_table *table = *state;
	struct rg_session *session = session_new(table, "a");
	uint8_t octets[RG_STATE_LENGTH];
	session_state(table, session, octets);
	for (size_t at = 8; at < sizeof(octets); at++) { /* every octet of the tag counts */
		octets[at] ^= 1;
		assert_null(session_find(table, span_of(octets, sizeof(octets))));
		octets[at] ^= 1;
	}
	octets[4] = 0xff; /* a slot that no table has */
	assert_null(session_find(table, span_of(octets, sizeof(octets))));
	octets[4] = 0;
	octets[7] = MOST;
	assert_null(session_find(table, span_of(octets, sizeof(octets))));
	octets[7] = MOST - 1; /* a free one */
	assert_null(session_find(table, span_of(octets, sizeof(octets))));
}

static void P4_state_of_an_ended_session(void **state)
{
	struct rg_session_table *table = *state;
	struct rg_session *session = session_new(table, "a");
	uint8_t octets[RG_STATE_LENGTH];
	session_state(table, session, octets);
	uint32_t slot = session->slot;
	session_free(table, &session);
	assert_null(session);
	assert_null(session_find(table, span_of(octets, sizeof(octets))));
	session = session_new(table, "a");
	assert_int_equal(session->slot, slot); /* the slot is used anew, the State is not */
	assert_null(session_find(table, span_of(octets, sizeof(octets))));
}

static void P4_foreign_other_worker_other_node(void **state)
{
	struct rg_session_table *table = *state;
	struct rg_session *session = session_new(table, "a");
	uint8_t octets[RG_STATE_LENGTH + 1] = {0};
	uint16_t worker = 0;
	session_state(table, session, octets);
	assert_int_equal(session_state_owner(table, span_of(octets, RG_STATE_LENGTH + 1), &worker),
			 RG_STATE_FOREIGN);
	for (size_t length = 0; length < RG_STATE_LENGTH; length++)
		assert_int_equal(session_state_owner(table, span_of(octets, length), &worker),
				 RG_STATE_FOREIGN);
	octets[3] ^= 4;
	assert_int_equal(session_state_owner(table, span_of(octets, RG_STATE_LENGTH), &worker),
			 RG_STATE_OTHER_WORKER);
	assert_int_equal(worker, 5);
	octets[1] ^= 1;
	assert_int_equal(session_state_owner(table, span_of(octets, RG_STATE_LENGTH), &worker),
			 RG_STATE_OTHER_NODE);
	octets[0] ^= 1;
	assert_int_equal(session_state_owner(table, span_of(octets, RG_STATE_LENGTH), &worker),
			 RG_STATE_FOREIGN);
}

static void full_table_names_a_victim(void **state)
{
	struct rg_session_table *table = *state;
	struct rg_session *first = session_new(table, "a"), *second = session_new(table, "a");
	for (unsigned i = 2; i < MOST; i++) {
		assert_null(session_table_victim(table));
		assert_non_null(session_new(table, "a"));
	}
	assert_null(session_new(table, "a"));
	assert_ptr_equal(session_table_victim(table), first);
	session_free(table, &first);
	assert_null(session_table_victim(table));
	assert_non_null(session_new(table, "b"));
	assert_ptr_equal(session_table_victim(table), second); /* not b's: a has more */
}

/* Some end, others begin, in no order: no two ever have one slot, and none is lost. */
static void a_slot_is_one_sessions(void **state)
{
	struct rg_session_table *table = *state;
	struct rg_session *live[MOST];
	unsigned count = 0, random = 1;
	for (unsigned i = 0; i < 4000; i++) {
		random = random * 1103515245 + 12345;
		if ((random >> 16) % 5 < 2 && count > 0) {
			unsigned which = (random >> 20) % count;
			session_free(table, &live[which]);
			live[which] = live[--count];
		} else if (count < MOST) {
			live[count] = session_new(table, "a");
			assert_non_null(live[count]);
			count++;
		}
		assert_int_equal(table->count, count);
		for (unsigned j = 0; j < count; j++)
			assert_ptr_equal(table->slots[live[j]->slot], live[j]);
	}
}

/* The caller's way with the table: a victim goes for a newcomer. */
static struct rg_session *squeeze_in(struct rg_session_table *table, const char *client)
{
	struct rg_session *victim = session_table_victim(table);
	if (victim)
		session_free(table, &victim);
	return session_new(table, client);
}

static bool share_is(struct rg_session_table *table, const char *client, uint8_t share)
{
	struct rg_session *probe = squeeze_in(table, client);
	bool same = probe->share == share;
	session_free(table, &probe);
	return same;
}

static void E3_one_client_does_not_crowd_out_the_others(void **state)
{
	struct rg_session_table table;
	struct rg_session *others[100], *late[1000];
	uint32_t late_slot[1000];
	uint8_t late_share[1000];
	char name[32];
	(void)state;
	assert_true(session_table_init(&table, 2000, 0, 0));
	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "townhall-%u", i);
		others[i] = squeeze_in(&table, name);
		assert_non_null(others[i]);
	}
	uint8_t share = 0;
	for (unsigned i = 0; i < 20000; i++) {
		struct rg_session *session = squeeze_in(&table, "flood");
		assert_non_null(session);
		assert_true(table.count <= 2000);
		share = session->share;
	}
	for (unsigned i = 0; i < 100; i++) { /* all those there before the flood still are */
		uint8_t octets[RG_STATE_LENGTH];
		snprintf(name, sizeof(name), "townhall-%u", i);
		if (share_is(&table, name, share))
			continue; /* 256 shares: one in so many suffers with the flood */
		session_state(&table, others[i], octets);
		assert_ptr_equal(session_find(&table, span_of(octets, sizeof(octets))), others[i]);
	}
	for (unsigned i = 0; i < 1000; i++) { /* and newcomers displace the flood, not each other */
		snprintf(name, sizeof(name), "late-%u", i % 50);
		late[i] = squeeze_in(&table, name);
		assert_non_null(late[i]);
		late_slot[i] = late[i]->slot;
		late_share[i] = late[i]->share;
	}
	/* Their slots still hold the very sessions: none was given away since. */
	for (unsigned i = 0; i < 1000; i++)
		if (late_share[i] != share)
			assert_ptr_equal(table.slots[late_slot[i]], late[i]);
	struct rg_session *session;
	while ((session = session_any(&table)))
		session_free(&table, &session);
	assert_int_equal(table.count, 0);
	session_table_destroy(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(P4_state_finds_its_session_and_no_other, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(P4_forged_state, set_up, tear_down),
		cmocka_unit_test_setup_teardown(P4_state_of_an_ended_session, set_up, tear_down),
		cmocka_unit_test_setup_teardown(P4_foreign_other_worker_other_node, set_up, tear_down),
		cmocka_unit_test_setup_teardown(full_table_names_a_victim, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_slot_is_one_sessions, set_up, tear_down),
		cmocka_unit_test(E3_one_client_does_not_crowd_out_the_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
