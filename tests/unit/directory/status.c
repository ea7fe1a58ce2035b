/* Windows' status codes, as dir_winbind reads them. */
#include "modules/dir_winbind/refusal.h"

#include "support.h"

static void what_they_mean(void **state)
{
	static const struct {
		uint32_t status;
		enum rg_outcome outcome;
	} known[] = {
		{0xC000006A, RG_OUTCOME_WRONG_SECRET},
		{0xC000006D, RG_OUTCOME_WRONG_SECRET},
		{0xC0000064, RG_OUTCOME_WRONG_SECRET},
		{0xC0000072, RG_OUTCOME_DISABLED},
		{0xC0000193, RG_OUTCOME_DISABLED},
		{0xC000006E, RG_OUTCOME_DISABLED},
		{0xC000006F, RG_OUTCOME_DISABLED},
		{0xC0000070, RG_OUTCOME_DISABLED},
		{0xC0000071, RG_OUTCOME_PASSWORD_EXPIRED},
		{0xC0000224, RG_OUTCOME_MUST_CHANGE},
		{0xC0000234, RG_OUTCOME_LOCKED},
		/* No logon servers, access denied, timed out, no trust: nothing about the person.
		 */
		{0xC000005E, RG_OUTCOME_UNAVAILABLE},
		{0xC0000022, RG_OUTCOME_UNAVAILABLE},
		{0xC00000B5, RG_OUTCOME_UNAVAILABLE},
		{0xC000018A, RG_OUTCOME_UNAVAILABLE},
		/* A status of success comes with no error; as one it is nonsense. */
		{0, RG_OUTCOME_UNAVAILABLE},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(status_read(known[i].status), known[i].outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_they_mean)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
