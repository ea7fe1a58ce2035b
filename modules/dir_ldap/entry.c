/* What an entry says, of a person or of a group. */
#include <stdlib.h>
#include <string.h>

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

static void read_value(const struct rg_lookup *lookup, struct task *task, const char *attribute,
		       struct rg_span value)
{
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

void entry_read_person(struct rg_ldap_directory *directory, struct task *task, LDAPMessage *entry)
{
	LDAP *handle = task->link->handle;
	if (++task->entries > 1)
		return;
	BerElement *position = NULL;
	char *dn = ldap_get_dn(handle, entry);
	task->dn = dn ? strdup(dn) : NULL;
	ldap_memfree(dn);
	char *attribute = ldap_first_attribute(handle, entry, &position);
	while (attribute) {
		struct berval **values = ldap_get_values_len(handle, entry, attribute);
		for (size_t i = 0; values && values[i]; i++)
			read_value(&directory->settings->lookup, task, attribute,
				   span_of(values[i]->bv_val, values[i]->bv_len));
		ldap_value_free_len(values);
		ldap_memfree(attribute);
		attribute = ldap_next_attribute(handle, entry, position);
	}
	ber_free(position, 0);
}

void entry_read_group(struct task *task, LDAPMessage *entry)
{
	LDAP *handle = task->link->handle;
	char *dn = ldap_get_dn(handle, entry);
	groups_mark(&task->match, span_text(dn));
	ldap_memfree(dn);
	struct berval **names = ldap_get_values_len(handle, entry, "cn");
	for (size_t i = 0; names && names[i]; i++)
		groups_mark_name(&task->match, span_of(names[i]->bv_val, names[i]->bv_len));
	ldap_value_free_len(names);
}
