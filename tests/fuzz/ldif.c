/* An LDIF file, a filter and a password: what is read of the file is in order, found again and
 * folded as filters compare; no entry matches a filter and its opposite; a password is right for
 * what was made of it and for nothing that is longer. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "../../modules/dir_ldif/match.h"
#include "../../modules/dir_ldif/password.h"
#include "core/text.h"
#include "directory/dn.h"

static void judge_value(const struct rg_value *value)
{
	MUST(value->folded.length <= value->raw.length);
	for (size_t i = 0; i < value->folded.length; i++)
		MUST(value->folded.data[i] < 'A' || value->folded.data[i] > 'Z');
	if (value->dn)
		MUST(dn_equal((const char *)value->raw.data, value->dn));
}

static void judge_store(const struct rg_store *store)
{
	for (size_t i = 0; i < store->count; i++) {
		const struct rg_entry *entry = &store->entries[i];
		MUST(i == 0 || strcmp(store->entries[i - 1].normal, entry->normal) < 0);
		MUST(store_find(store, entry->normal) == entry &&
		     dn_equal(entry->dn, entry->normal));
		for (size_t j = 0; j < entry->count; j++) {
			const struct rg_attribute *attribute = &entry->attributes[j];
			MUST(attribute->count != 0 && attribute_named(attribute, attribute->name));
			for (size_t k = 0; k < attribute->count; k++)
				judge_value(&attribute->values[k]);
		}
	}
}

/* A filter of the input's, and that with a NOT before it. */
static void match(const struct rg_store *store, const char *filter)
{
	char opposite[300], why[160] = "";
	struct rg_matcher plain, turned;
	if (!matcher_make(&plain, filter, why)) {
		MUST(why[0]);
		return;
	}
	snprintf(opposite, sizeof(opposite), "(!%s)", filter);
	bool both = filter[0] == '(' && matcher_make(&turned, opposite, why);
	for (size_t i = 0; i < store->count; i++) {
		bool is = matcher_matches(&plain, store, &store->entries[i]);
		MUST(!both || !is || !matcher_matches(&turned, store, &store->entries[i]));
		chain_reaches(store, &store->entries[i], "member", store->entries[0].normal);
	}
	if (both)
		matcher_free(&turned);
	matcher_free(&plain);
}

/* Those that cost so much on purpose are for another day. */
static bool is_costly(struct rg_span stored)
{
	return text_equal_nocase(span_of(stored.data, stored.length < 7 ? stored.length : 7),
				 span_text("{PBKDF2")) ||
	       text_equal_nocase(span_of(stored.data, stored.length < 7 ? stored.length : 7),
				 span_text("{CRYPT}"));
}

static void passwords(struct rg_span stored, struct rg_span given)
{
	uint8_t longer[256];
	if (is_costly(stored))
		return;
	enum rg_password verdict = password_verify(stored, given);
	MUST(verdict != RG_PASSWORD_RIGHT || !password_is_clear(stored) ||
	     span_equal(stored, given));
	if (verdict != RG_PASSWORD_RIGHT || given.length + 1 > sizeof(longer))
		return;
	if (given.length)
		memcpy(longer, given.data, given.length);
	longer[given.length] = 0;
	MUST(password_verify(stored, span_of(longer, given.length + 1)) == RG_PASSWORD_WRONG);
}

static struct rg_store *read_octets(struct rg_span octets, char why[160])
{
	static int fd = -1;
	static char path[64];
	if (fd < 0) {
		fd = memfd_create("people.ldif", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	MUST(fd >= 0 && ftruncate(fd, 0) == 0);
	if (octets.length)
		MUST(pwrite(fd, octets.data, octets.length, 0) == (ssize_t)octets.length);
	return store_read(path, why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	char filter[256], why[160] = "";
	struct rg_span pattern = piece_next(&cursor), given = piece_next(&cursor);
	struct rg_span file = cursor_rest(&cursor);
	passwords(pattern, given);
	/* A value may be fetched from a file that is named: by the administrator. */
	if (file.length && memmem(file.data, file.length, ":<", 2))
		return 0;
	struct rg_store *store = read_octets(file, why);
	if (!store) {
		MUST(why[0] && strlen(why) < sizeof(why));
		return 0;
	}
	judge_store(store);
	if (store->count != 0 && text_from_span(filter, sizeof(filter), pattern))
		match(store, filter);
	store_release(&store);
	return 0;
}
