#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/secret.h"
#include "directory/dn.h"
#include "directory/filter.h"
#include "directory/group.h"
#include "directory/mapping.h"
#include "directory/nt_hash.h"
#include "match.h"
#include "password.h"

struct judgement {
	const struct rg_lookup *lookup;
	const struct rg_store *store;
	const struct rg_nt_digests *digests;
	struct rg_question *question;
	struct rg_group_match groups;
	const struct rg_entry *entry;
};

static void say(struct judgement *judgement, enum rg_outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct judgement *judgement, enum rg_outcome outcome, const char *format, ...)
{
	struct rg_question *question = judgement->question;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(question->detail, sizeof(question->detail), format, arguments);
	va_end(arguments);
	question->outcome = outcome;
	if (outcome != RG_OUTCOME_FOUND)
		groups_reset(&judgement->groups);
}

static bool in_scope(const char *normal, const char *base, enum rg_scope scope)
{
	switch (scope) {
	case RG_SCOPE_SUB:
		return dn_within(normal, base);
	case RG_SCOPE_ONE:
		return *normal && strcmp(dn_parent(normal), base) == 0;
	case RG_SCOPE_BASE:
		return strcmp(normal, base) == 0;
	}
	return false;
}

/* Calls each for every entry of base that matches; false: the answer has been given. */
static bool search(struct judgement *judgement, const char *base, enum rg_scope scope,
		   const char *template, bool (*each)(struct judgement *, const struct rg_entry *))
{
	struct rg_filter_names names =
		filter_names(judgement->question, judgement->entry ? judgement->entry->dn : NULL);
	char why[160];
	bool going = true;
	uint8_t *text = malloc(RG_FILTER_MOST);
	char *normal = dn_normal(base);
	struct rg_matcher matcher = {0};
	struct rg_buffer out = buffer_over(text, RG_FILTER_MOST);
	if (!text || !normal) {
		say(judgement, RG_OUTCOME_UNAVAILABLE, "no memory");
		going = false;
	} else if (!filter_expand(&out, template, &names)) {
		say(judgement, judgement->entry ? RG_OUTCOME_UNAVAILABLE : RG_OUTCOME_NO_ENTRY,
		    "no entry can have this name");
		going = false;
	} else if (!matcher_make(&matcher, (const char *)text, why)) {
		say(judgement, RG_OUTCOME_UNAVAILABLE, "filter: %s", why);
		going = false;
	}
	for (size_t i = 0; going && i < judgement->store->count; i++) {
		const struct rg_entry *entry = &judgement->store->entries[i];
		if (in_scope(entry->normal, normal, scope) &&
		    matcher_matches(&matcher, judgement->store, entry))
			going = each(judgement, entry);
	}
	matcher_free(&matcher);
	free(normal);
	free(text);
	return going;
}

static bool found_person(struct judgement *judgement, const struct rg_entry *entry)
{
	if (judgement->entry) {
		say(judgement, RG_OUTCOME_AMBIGUOUS, "%.100s and others", judgement->entry->dn);
		return false;
	}
	judgement->entry = entry;
	return true;
}

static bool found_disabled(struct judgement *judgement, const struct rg_entry *entry)
{
	say(judgement, RG_OUTCOME_DISABLED, "%s", entry->dn);
	return false;
}

static bool found_group(struct judgement *judgement, const struct rg_entry *entry)
{
	groups_mark(&judgement->groups, span_text(entry->dn));
	for (size_t i = 0; i < entry->count; i++)
		for (size_t j = 0;
		     attribute_named(&entry->attributes[i], "cn") && j < entry->attributes[i].count;
		     j++)
			groups_mark_name(&judgement->groups, entry->attributes[i].values[j].raw);
	return true;
}

/* Calls each for every value of the person's attribute. */
static void values_of(struct judgement *judgement, const char *name,
		      void (*each)(struct judgement *, const struct rg_value *, void *),
		      void *context)
{
	const struct rg_entry *entry = judgement->entry;
	for (size_t i = 0; i < entry->count; i++)
		for (size_t j = 0;
		     attribute_named(&entry->attributes[i], name) && j < entry->attributes[i].count;
		     j++)
			each(judgement, &entry->attributes[i].values[j], context);
}

static void mark_value(struct judgement *judgement, const struct rg_value *value, void *unused)
{
	(void)unused;
	groups_mark(&judgement->groups, value->raw);
}

/* Whoever reads a file has the in-chain rule: "auto" is on. */
static bool judge_groups(struct judgement *judgement)
{
	const struct rg_lookup_groups *groups = lookup_groups(judgement->lookup);
	struct rg_question *question = judgement->question;
	bool nested = groups->nested != RG_NESTED_OFF;
	if (!groups->present || question->group_count == 0)
		return true;
	if (groups->attribute) {
		values_of(judgement, groups->attribute, mark_value, NULL);
		for (size_t i = 0; nested && i < question->group_count; i++)
			if (!question->member[i] && judgement->groups.normal[i])
				question->member[i] = chain_reaches(
					judgement->store, judgement->entry, groups->attribute,
					judgement->groups.normal[i]);
		return true;
	}
	char *filter = nested ? filter_nested(groups->filter) : strdup(groups->filter);
	bool going = filter && search(judgement, groups->base, RG_SCOPE_SUB, filter, found_group);
	if (!filter)
		say(judgement, RG_OUTCOME_UNAVAILABLE, "no memory");
	free(filter);
	return going;
}

struct certificates {
	bool any, same;
};

static void compare_certificate(struct judgement *judgement, const struct rg_value *value,
				void *context)
{
	struct certificates *certificates = context;
	certificates->any = true;
	certificates->same |= lookup_same_certificate(judgement->question, value->raw);
}

struct mapped {
	struct rg_mapping *mapping;
	const char *attribute;
};

static void read_mapped(struct judgement *judgement, const struct rg_value *value, void *context)
{
	struct mapped *mapped = context;
	(void)judgement;
	mapping_read(mapped->mapping, span_text(mapped->attribute), value->raw);
}

static bool judge_mapping(struct judgement *judgement)
{
	struct rg_choices ways = lookup_mapping(judgement->lookup);
	const char *why = "its certificate cannot be read";
	if (ways.count == 0 || judgement->question->certificate.length == 0)
		return true;
	struct mapped mapped = {.mapping = mapping_new(judgement->question->certificate)};
	for (size_t i = 0; mapped.mapping && mapping_attributes[i]; i++) {
		mapped.attribute = mapping_attributes[i];
		values_of(judgement, mapped.attribute, read_mapped, &mapped);
	}
	bool holds = mapped.mapping && mapping_holds(mapped.mapping, &ways, &why);
	mapping_free(&mapped.mapping);
	if (!holds)
		say(judgement, RG_OUTCOME_OTHER_CERTIFICATE, "%.80s: %s", judgement->entry->dn,
		    why);
	return holds;
}

static bool judge_certificate(struct judgement *judgement)
{
	const char *name = judgement->lookup->certificate_attribute;
	struct certificates certificates = {0};
	if (!name || judgement->question->certificate.length == 0)
		return true;
	values_of(judgement, name, compare_certificate, &certificates);
	if (!certificates.same)
		say(judgement, RG_OUTCOME_OTHER_CERTIFICATE, "%.100s: %s %.40s",
		    judgement->entry->dn, certificates.any ? "none of its" : "it has no", name);
	return certificates.same;
}

struct passwords {
	bool right, unknown;
};

static void compare_password(struct judgement *judgement, const struct rg_value *value,
			     void *context)
{
	struct passwords *passwords = context;
	switch (password_verify(value->raw, judgement->question->password)) {
	case RG_PASSWORD_RIGHT:
		passwords->right = true;
		break;
	case RG_PASSWORD_UNKNOWN_SCHEME:
		passwords->unknown = true;
		break;
	case RG_PASSWORD_WRONG:
		break;
	}
}

static bool judge_password(struct judgement *judgement)
{
	struct passwords passwords = {0};
	values_of(judgement, "userPassword", compare_password, &passwords);
	if (!passwords.right && passwords.unknown)
		say(judgement, RG_OUTCOME_UNAVAILABLE, "%.100s: password of an unknown scheme",
		    judgement->entry->dn);
	else if (!passwords.right)
		say(judgement, RG_OUTCOME_WRONG_SECRET, "%s", judgement->entry->dn);
	return passwords.right;
}

/* Whether one of the hashes that the entry has, or can be given, made the response. */
struct responses {
	bool right, any;
};

static void compare_response(struct judgement *judgement, const uint8_t hash[RG_NT_HASH],
			     struct responses *responses)
{
	responses->any = true;
	if (!responses->right)
		responses->right = nt_hash_verify(judgement->digests, hash, judgement->question) ==
				   RG_OUTCOME_FOUND;
}

static void compare_stored_hash(struct judgement *judgement, const struct rg_value *value,
				void *responses)
{
	uint8_t hash[RG_NT_HASH];
	if (nt_hash_read(value->raw, hash))
		compare_response(judgement, hash, responses);
	secret_wipe(hash, sizeof(hash));
}

static void compare_clear_password(struct judgement *judgement, const struct rg_value *value,
				   void *responses)
{
	uint8_t hash[RG_NT_HASH];
	if (password_is_clear(value->raw) && nt_hash_make(judgement->digests, value->raw, hash))
		compare_response(judgement, hash, responses);
	secret_wipe(hash, sizeof(hash));
}

static bool judge_mschapv2(struct judgement *judgement)
{
	const char *attribute = judgement->lookup->nt_hash_attribute;
	struct responses responses = {0};
	if (!judgement->digests) {
		say(judgement, RG_OUTCOME_UNAVAILABLE, "OpenSSL's legacy provider is missing");
		return false;
	}
	if (attribute)
		values_of(judgement, attribute, compare_stored_hash, &responses);
	values_of(judgement, "userPassword", compare_clear_password, &responses);
	if (!responses.right)
		say(judgement, RG_OUTCOME_WRONG_SECRET, "%s%s", judgement->entry->dn,
		    responses.any ? ""
				  : ": it has neither an NT hash nor a password in clear text");
	return responses.right;
}

static bool judge_proof(struct judgement *judgement)
{
	switch (judgement->question->kind) {
	case RG_ASK_IDENTITY:
		return true;
	case RG_ASK_PASSWORD:
		return judge_password(judgement);
	case RG_ASK_MSCHAPV2:
		return judge_mschapv2(judgement);
	}
	return false;
}

static bool groups_sure(struct judgement *judgement)
{
	if (judgement->groups.unsure)
		say(judgement, RG_OUTCOME_UNAVAILABLE, "no memory");
	return !judgement->groups.unsure;
}

static bool judge_entry(struct judgement *judgement)
{
	const struct rg_lookup *lookup = judgement->lookup;
	const char *disabled = lookup_disabled(lookup, false);
	if (*disabled &&
	    !search(judgement, judgement->entry->dn, RG_SCOPE_BASE, disabled, found_disabled))
		return false;
	return judge_mapping(judgement) && judge_certificate(judgement) &&
	       judge_groups(judgement) && groups_sure(judgement) && judge_proof(judgement);
}

void question_judge(const struct rg_ldif_settings *settings, const struct rg_store *store,
		    const struct rg_nt_digests *digests, struct rg_question *question)
{
	struct judgement judgement = {.lookup = &settings->lookup,
				      .store = store,
				      .digests = digests,
				      .question = question};
	if (!groups_prepare(&judgement.groups, question))
		say(&judgement, RG_OUTCOME_UNAVAILABLE, "no memory");
	else if (question->kind == RG_ASK_PASSWORD && question->password.length == 0)
		say(&judgement, RG_OUTCOME_WRONG_SECRET, "no password given");
	else if (!search(&judgement, settings->lookup.base, settings->lookup.scope,
			 lookup_filter(&settings->lookup, question->host), found_person))
		;
	else if (!judgement.entry)
		say(&judgement, RG_OUTCOME_NO_ENTRY, "none below %s", settings->lookup.base);
	else if (judge_entry(&judgement))
		say(&judgement, RG_OUTCOME_FOUND, "%s", judgement.entry->dn);
	groups_free(&judgement.groups);
}
