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
	struct berval dn = {0}, attribute = {0};
	BerVarray values = NULL;
	if (ldap_get_dn_ber(handle, entry, &position, &dn) != LDAP_SUCCESS)
		return;
	task->dn = strndup(dn.bv_val, dn.bv_len);
	/* They lie in the answer itself, which libldap frees as it is: a hash is wiped there. */
	while (ldap_get_attribute_ber(handle, entry, position, &attribute, &values) ==
		       LDAP_SUCCESS &&
	       attribute.bv_val) {
		for (size_t i = 0; values && values[i].bv_val; i++) {
			read_value(&directory->settings->lookup, task, attribute.bv_val,
				   span_of(values[i].bv_val, values[i].bv_len));
			if (is_attribute(attribute.bv_val,
					 directory->settings->lookup.nt_hash_attribute))
				secret_wipe(values[i].bv_val, values[i].bv_len);
		}
		ber_memfree(values);
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
