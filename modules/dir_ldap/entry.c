/* What an entry says, of a person or of a group. */
#include <stdlib.h>
#include <string.h>

#include "core/secret.h"
#include "core/text.h"
#include "directory.h"

/* Are both the same attribute, whatever their options (";binary", ";range=0-1499")? */
static bool same_attribute(const char *a, const char *b)
{
	return text_equal_nocase(span_of(a, strcspn(a, ";")), span_of(b, strcspn(b, ";")));
}

/* A decimal number; 0: it is none. */
static uint32_t read_number(struct rg_span value)
{
	uint64_t number = 0;
	for (size_t i = 0; i < value.length; i++) {
		if (value.data[i] < '0' || value.data[i] > '9' || number > UINT32_MAX / 10)
			return 0;
		number = number * 10 + (value.data[i] - '0');
	}
	return (uint32_t)number;
}

static bool is_attribute(const char *attribute, const char *wanted)
{
	return wanted && same_attribute(attribute, wanted);
}

static void read_value(struct rg_ldap_directory *directory, struct task *task,
		       const char *attribute, struct rg_span value)
{
	const struct rg_lookup *lookup = &directory->settings->lookup;
	if (is_attribute(attribute, lookup_groups(lookup)->attribute))
		groups_mark(&task->match, value);
	if (is_attribute(attribute, lookup->certificate_attribute)) {
		task->has_certificate = true;
		task->same_certificate |= lookup_same_certificate(task->question, value);
	}
	if (is_attribute(attribute, lookup->nt_hash_attribute))
		task->has_nt_hash |= nt_hash_read(value, task->nt_hash);
	if (is_attribute(attribute, lookup_account_control(lookup)))
		task->locked |= read_number(value) & RG_ACCOUNT_LOCKED;
	if (is_attribute(attribute, lookup->name_attribute))
		text_from_span(task->question->canonical, sizeof(task->question->canonical), value);
	if (is_attribute(attribute, "objectSid"))
		sid_read(&task->sid, value);
	if (is_attribute(attribute, "primaryGroupID"))
		task->primary = read_number(value);
	if (task->mapping)
		mapping_read(task->mapping, span_text(attribute), value);
}

typedef void read_each(struct rg_ldap_directory *, struct task *, const char *attribute,
		       struct rg_span value);

/* Calls each for every value of the entry. ldap_next_attribute says "no more" for "no memory" as
 * well, and a group that denies would be missed. Its name, to be freed; NULL: no memory, or the
 * entry is broken. */
static char *read_entry(struct rg_ldap_directory *directory, struct task *task, LDAPMessage *entry,
			read_each *each)
{
	LDAP *handle = task->link->handle;
	char attribute[128], *dn = NULL;
	struct berval name, *values;
	BerElement *position = NULL;
	bool good = ldap_get_dn_ber(handle, entry, &position, &name) == LDAP_SUCCESS && name.bv_val;
	if (good)
		dn = strndup(name.bv_val, name.bv_len);
	while (good) {
		values = NULL;
		good = ldap_get_attribute_ber(handle, entry, position, &name, &values) ==
		       LDAP_SUCCESS;
		if (!good || !name.bv_val)
			break;
		text_from_span(attribute, sizeof(attribute), span_of(name.bv_val, name.bv_len));
		for (size_t i = 0; values && values[i].bv_val; i++) {
			each(directory, task, attribute,
			     span_of(values[i].bv_val, values[i].bv_len));
			/* It lies in the answer itself, which libldap frees as it is. */
			if (is_attribute(attribute,
					 directory->settings->lookup.nt_hash_attribute))
				secret_wipe(values[i].bv_val, values[i].bv_len);
		}
		ldap_memfree(values);
	}
	ber_free(position, 0);
	if (good)
		return dn;
	free(dn);
	return NULL;
}

void entry_read_person(struct rg_ldap_directory *directory, struct task *task, LDAPMessage *entry)
{
	if (++task->entries > 1)
		return;
	task->dn = read_entry(directory, task, entry, read_value);
}

static void read_cn(struct rg_ldap_directory *directory, struct task *task, const char *attribute,
		    struct rg_span value)
{
	(void)directory;
	if (is_attribute(attribute, "cn"))
		groups_mark_name(&task->match, value);
}

char *entry_read_group(struct rg_ldap_directory *directory, struct task *task, LDAPMessage *entry)
{
	char *dn = read_entry(directory, task, entry, read_cn);
	if (dn)
		groups_mark(&task->match, span_text(dn));
	else
		task->unread = true;
	return dn;
}
