/* Wrong passwords counted by person and device, on a clock of the test's. */
#include "home/attempts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/rand.h>

#include "../directory/shortage.h"
#include "core/clock.h"

#define PHONE  "02-00-00-00-00-01"
#define LAPTOP "02-00-00-00-00-02"

static struct rg_attempt_settings settings;
static uint64_t now;
static char why[160];

static int set_up(void **state)
{
	(void)state;
	settings = (struct rg_attempt_settings){.max = 4, .window_s = 600};
	now = 1000 * RG_SECOND;
	attempts_clear();
	return 0;
}

static struct rg_identity person(const char *user)
{
	struct rg_identity identity = {.realm = "beuningen.nl"};
	snprintf(identity.user, sizeof(identity.user), "%s", user);
	snprintf(identity.identity, sizeof(identity.identity), "%.100s@beuningen.nl", user);
	return identity;
}

/* True: it was let through. */
static bool try(const char *user, const char *mac, enum rg_attempt_outcome outcome)
{
	struct rg_attempt attempt;
	struct rg_identity identity = person(user);
	why[0] = '\0';
	if (!attempts_begin(&attempt, &settings, &identity, mac, now, why))
		return false;
	attempts_end(&attempt, &settings, outcome, now);
	return true;
}

/* So many wrong ones of each wait as long as they have to. */
static unsigned guess(const char *user, const char *mac, unsigned count)
{
	unsigned through = 0;
	for (unsigned i = 0; i < count; i++) {
		through += try(user, mac, RG_ATTEMPT_WRONG);
		now += 10 * RG_SECOND;
	}
	return through;
}

static void a_device_is_shut_out_for_the_window(void **state)
{
	(void)state;
	assert_int_equal(guess("jan", PHONE, 20), 4);
	assert_false(try("jan", PHONE, RG_ATTEMPT_RIGHT));
	assert_non_null(strstr(why, "4 wrong passwords of this device"));
	assert_false(try("piet", PHONE, RG_ATTEMPT_RIGHT)); /* whoever it says it is */
	now += 600 * RG_SECOND;
	assert_true(try("jan", PHONE, RG_ATTEMPT_RIGHT));
}

static void the_owner_s_other_device_still_gets_in(void **state)
{
	(void)state;
	guess("jan", PHONE, 100);
	assert_true(try("jan", LAPTOP, RG_ATTEMPT_RIGHT));
}

static void a_person_is_shut_over_all_devices(void **state)
{
	char mac[18];
	unsigned through = 0;
	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		snprintf(mac, sizeof(mac), "02-00-00-00-01-%02X", i);
		through += guess("Jan", mac, 1);
	}
	assert_int_equal(through, 8);
	assert_false(try("jan", LAPTOP, RG_ATTEMPT_RIGHT)); /* case is no other person */
	assert_non_null(strstr(why, "of this person"));
	assert_true(try("piet", LAPTOP, RG_ATTEMPT_RIGHT));
}

static void what_is_on_its_way_counts(void **state)
{
	struct rg_attempt attempts[5];
	struct rg_identity jan = person("jan");
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_true(attempts_begin(&attempts[i], &settings, &jan, PHONE, now, why));
	assert_false(attempts_begin(&attempts[4], &settings, &jan, PHONE, now, why));
	for (unsigned i = 0; i < 5; i++) /* the refused one's end is nothing */
		attempts_end(&attempts[i], &settings, RG_ATTEMPT_UNKNOWN, now);
	assert_true(attempts_begin(&attempts[4], &settings, &jan, PHONE, now, why));
	attempts_end(&attempts[4], &settings, RG_ATTEMPT_UNKNOWN, now);
	attempts_end(&attempts[4], &settings, RG_ATTEMPT_WRONG, now); /* a second end is none */
	assert_int_equal(guess("jan", PHONE, 20), 4);
}

static void delays_grow_after_half(void **state)
{
	(void)state;
	assert_true(try("jan", PHONE, RG_ATTEMPT_WRONG));
	assert_true(try("jan", PHONE, RG_ATTEMPT_WRONG));
	assert_true(try("jan", PHONE, RG_ATTEMPT_WRONG));
	assert_false(try("jan", PHONE, RG_ATTEMPT_WRONG)); /* at once */
	assert_non_null(strstr(why, "has to wait"));
	now += RG_SECOND;
	assert_true(try("jan", PHONE, RG_ATTEMPT_RIGHT));
}

static void a_right_one_forgives_its_own(void **state)
{
	(void)state;
	assert_int_equal(guess("jan", PHONE, 3), 3);
	assert_true(try("jan", PHONE, RG_ATTEMPT_RIGHT));
	assert_int_equal(guess("jan", PHONE, 20), 4);
	set_up(state);
	/* Who knows one password guesses no others the longer for it. */
	unsigned through = 0;
	for (unsigned i = 0; i < 20; i++) {
		through += guess("piet", PHONE, 1);
		try("jan", PHONE, RG_ATTEMPT_RIGHT);
	}
	assert_int_equal(through, 4);
}

static void O8_made_up_names_push_nobody_out(void **state)
{
	char name[32], mac[18];
	(void)state;
	settings.max = 1000000;
	guess("jan", PHONE, 3);
	for (unsigned i = 0; i < 200000; i++) {
		snprintf(name, sizeof(name), "made-up-%u", i);
		snprintf(mac, sizeof(mac), "06-%02X-%02X-%02X-00-00", i >> 16 & 255, i >> 8 & 255, i & 255);
		try(name, mac, RG_ATTEMPT_WRONG);
	}
	settings.max = 3;
	assert_false(try("jan", PHONE, RG_ATTEMPT_RIGHT));
}

static void exempt_people_are_not_counted(void **state)
{
	const char *const globs[] = {"cat-*@*"};
	(void)state;
	settings.exempt = (struct rg_strings){globs, 1};
	assert_int_equal(guess("cat-test", PHONE, 50), 50);
	assert_true(try("jan", PHONE, RG_ATTEMPT_RIGHT));
}

static void unlock_by_name_and_by_device(void **state)
{
	(void)state;
	guess("jan", PHONE, 20);
	assert_false(attempts_unlock("piet@beuningen.nl"));
	assert_true(attempts_unlock("02:00:00:00:00:01"));
	assert_false(attempts_unlock("02:00:00:00:00:01"));
	assert_true(attempts_unlock("JAN@beuningen.nl"));
	assert_int_equal(guess("jan", PHONE, 20), 4);
}

static void without_a_mac_the_person_counts(void **state)
{
	(void)state;
	assert_int_equal(guess("jan", "", 20), 8);
	assert_true(try("piet", "", RG_ATTEMPT_RIGHT));
}

/* Nobody can be counted, and so nobody let through, in that moment; not for good. The first of all tests: the table is made
 * once. */
static void O3_no_memory_for_a_moment_shuts_out_for_a_moment(void **state)
{
	uint8_t chance[8];
	(void)state;
	settings = (struct rg_attempt_settings){.max = 4, .window_s = 600};
	now = 1000 * RG_SECOND;
	assert_int_equal(RAND_bytes(chance, sizeof(chance)), 1); /* OpenSSL has what it wants: the table comes next */
	for (unsigned at = 1; at < 30; at++) {
		shortage.left = at;
		(void)try("k.kort", PHONE, RG_ATTEMPT_RIGHT);
		shortage.left = 0;
	}
	assert_true(try("k.kort", PHONE, RG_ATTEMPT_RIGHT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(O3_no_memory_for_a_moment_shuts_out_for_a_moment),
		cmocka_unit_test_setup(a_device_is_shut_out_for_the_window, set_up),
		cmocka_unit_test_setup(the_owner_s_other_device_still_gets_in, set_up),
		cmocka_unit_test_setup(a_person_is_shut_over_all_devices, set_up),
		cmocka_unit_test_setup(what_is_on_its_way_counts, set_up),
		cmocka_unit_test_setup(delays_grow_after_half, set_up),
		cmocka_unit_test_setup(a_right_one_forgives_its_own, set_up),
		cmocka_unit_test_setup(O8_made_up_names_push_nobody_out, set_up),
		cmocka_unit_test_setup(exempt_people_are_not_counted, set_up),
		cmocka_unit_test_setup(unlock_by_name_and_by_device, set_up),
		cmocka_unit_test_setup(without_a_mac_the_person_counts, set_up),
	};
	return cmocka_run_group_tests_name("home/attempts", tests, NULL, NULL);
}
