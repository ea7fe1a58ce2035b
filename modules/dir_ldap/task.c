#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/secret.h"
#include "core/text.h"
#include "directory.h"
#include "directory/filter.h"

static const int scopes[] = {
	[RG_SCOPE_SUB] = LDAP_SCOPE_SUBTREE,
	[RG_SCOPE_ONE] = LDAP_SCOPE_ONELEVEL,
	[RG_SCOPE_BASE] = LDAP_SCOPE_BASE,
};

struct task *task_new(struct rg_question *question)
{
	struct task *task = calloc(1, sizeof(*task));
	if (task)
		task->question = question;
	return task;
}

void task_answer(struct rg_ldap_directory *directory, struct task *task, enum rg_outcome outcome,
		 const char *format, ...)
{
	struct rg_question *question = task->question;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(question->detail, sizeof(question->detail), format, arguments);
	va_end(arguments);
	question->outcome = outcome;
	if (outcome != RG_OUTCOME_FOUND && task->match.question)
		groups_reset(&task->match);
	link_forget(task);
	if (task->stage == TASK_WAITING)
		TAILQ_REMOVE(&directory->waiting, task, in_turn);
	if (task->stage == TASK_BIND_WAITING)
		TAILQ_REMOVE(&directory->bind_waiting, task, in_turn);
	TAILQ_REMOVE(&directory->tasks, task, by_deadline);
	pthread_mutex_lock(&directory->lock);
	directory->open_tasks--;
	pthread_mutex_unlock(&directory->lock);
	groups_free(&task->match);
	mapping_free(&task->mapping);
	free(task->dn);
	secret_wipe(task, sizeof(*task));
	free(task);
	question->answered(question);
}

/* To the head of those that wait for a connection, as if nothing had been asked yet. */
static void task_wait(struct rg_ldap_directory *directory, struct task *task)
{
	link_forget(task);
	free(task->dn);
	task->dn = NULL;
	task->entries = 0;
	task->disabled_asked = task->disabled = false;
	task->has_certificate = task->same_certificate = false;
	task->has_nt_hash = task->locked = task->unread = false;
	task->sid.length = 0;
	task->primary = 0;
	if (task->mapping)
		mapping_reset(task->mapping);
	if (task->match.question)
		groups_reset(&task->match);
	task->stage = TASK_WAITING;
	TAILQ_INSERT_HEAD(&directory->waiting, task, in_turn);
}

void task_again(struct rg_ldap_directory *directory, struct task *task)
{
	if (++task->tries < TRIES_MOST)
		task_wait(directory, task);
	else
		task_answer(directory, task, RG_OUTCOME_UNAVAILABLE, "%s: %s", task->server->uri,
			    "the connection was lost again and again");
}

/* The template filled in, in the directory's scratch; NULL: a name that cannot be looked for. */
static const char *expand(struct rg_ldap_directory *directory, const struct task *task,
			  const char *template)
{
	struct rg_buffer out = buffer_over(directory->filter, sizeof(directory->filter));
	struct rg_filter_names names = filter_names(task->question, task->dn);
	return filter_expand(&out, template, &names) ? directory->filter : NULL;
}

/* False: the task has been answered or waits again. */
static bool task_search(struct rg_ldap_directory *directory, struct task *task,
			enum search_kind kind, size_t group, const char *base, int scope,
			const char *filter, char **attributes, int size_most)
{
	struct search *search = calloc(1, sizeof(*search));
	if (!search) {
		task_answer(directory, task, RG_OUTCOME_UNAVAILABLE, "no memory");
		return false;
	}
	search->kind = kind;
	search->group = group;
	search->task = task;
	int code = link_search(directory, task->link, search, base, scope, filter, attributes,
			       size_most);
	if (code == LDAP_SUCCESS) {
		task->open_searches++;
		return true;
	}
	free(search);
	if (task->link->broken || task->link->writing)
		task_wait(directory, task);
	else
		task_answer(directory, task, RG_OUTCOME_UNAVAILABLE, "%s: search: %s",
			    task->server->uri, ldap_err2string(code));
	return false;
}

#define ATTRIBUTES_MOST 16

static void want(char **attributes, size_t *count, const char *name)
{
	if (name && *count < ATTRIBUTES_MOST)
		attributes[(*count)++] = (char *)name;
}

/* Which attributes of the person's entry the question needs; NULL-terminated. */
static void want_all(const struct rg_lookup *lookup, const struct task *task,
		     char *attributes[ATTRIBUTES_MOST + 1])
{
	const struct rg_question *question = task->question;
	const struct rg_lookup_groups *groups = lookup_groups(lookup);
	size_t count = 0;
	if (question->certificate.length > 0)
		want(attributes, &count, lookup->certificate_attribute);
	for (size_t i = 0; task->mapping && mapping_attributes[i]; i++)
		want(attributes, &count, mapping_attributes[i]);
	if (question->group_count > 0) {
		want(attributes, &count, groups->attribute);
		want(attributes, &count, groups->primary ? "primaryGroupID" : NULL);
		/* Where it is not among those of the mapping. */
		want(attributes, &count, groups->primary && !task->mapping ? "objectSid" : NULL);
	}
	if (question->kind == RG_ASK_MSCHAPV2)
		want(attributes, &count, lookup->nt_hash_attribute);
	want(attributes, &count, lookup_account_control(lookup));
	want(attributes, &count, lookup->name_attribute);
	if (count == 0)
		want(attributes, &count, LDAP_NO_ATTRS);
	attributes[count] = NULL;
}

/* False: no memory, or no certificate; the task has been answered. */
static bool task_prepare(struct rg_ldap_directory *directory, struct task *task)
{
	struct rg_question *question = task->question;
	struct rg_choices ways = lookup_mapping(&directory->settings->lookup);
	if (!task->match.question && !groups_prepare(&task->match, question)) {
		task_answer(directory, task, RG_OUTCOME_UNAVAILABLE, "no memory");
		return false;
	}
	if (ways.count == 0 || question->certificate.length == 0 || task->mapping)
		return true;
	task->mapping = mapping_new(question->certificate);
	if (!task->mapping)
		task_answer(directory, task, RG_OUTCOME_OTHER_CERTIFICATE,
			    "its certificate cannot be read");
	return task->mapping;
}

/* Whether the entry is a disabled one can be asked along with who it is, in one round trip, unless
 * that filter names the DN. */
static void ask_disabled_already(struct rg_ldap_directory *directory, struct task *task,
				 const char *person)
{
	const struct rg_lookup *lookup = &directory->settings->lookup;
	const char *disabled = lookup_disabled(lookup, task->question->kind == RG_ASK_PASSWORD);
	struct rg_buffer out = buffer_over(directory->filter, sizeof(directory->filter));
	struct rg_filter_names names = filter_names(task->question, NULL);
	char nothing[] = LDAP_NO_ATTRS;
	char *attributes[] = {nothing, NULL};
	if (!*disabled || strstr(disabled, "%{dn}"))
		return;
	buffer_put(&out, span_text("(&"));
	bool joined = filter_expand(&out, person, &names);
	out.length -= joined; /* its NUL */
	joined = joined && filter_expand(&out, disabled, &names);
	out.length -= joined;
	buffer_put(&out, span_of(")", 2));
	if (!joined || out.failed)
		return; /* asked by itself, where there is somebody to ask about */
	task->disabled_asked = true;
	task_search(directory, task, SEARCH_DISABLED, 0, lookup->base, scopes[lookup->scope],
		    directory->filter, attributes, 1);
}

void task_start(struct rg_ldap_directory *directory, struct task *task, struct link *link)
{
	const struct rg_lookup *lookup = &directory->settings->lookup;
	char *attributes[ATTRIBUTES_MOST + 1];
	TAILQ_REMOVE(&directory->waiting, task, in_turn);
	task->stage = TASK_SEARCHING;
	task->link = link;
	task->server = link->server;
	link->tasks++;
	if (!task_prepare(directory, task))
		return;
	want_all(lookup, task, attributes);
	const char *template = lookup_filter(lookup, task->question->host);
	const char *filter = expand(directory, task, template);
	if (!filter)
		task_answer(directory, task, RG_OUTCOME_NO_ENTRY, "no entry can have this name");
	/* Two entries are enough to know that there is more than one. */
	else if (task_search(directory, task, SEARCH_PERSON, 0, lookup->base,
			     scopes[lookup->scope], filter, attributes, 2))
		ask_disabled_already(directory, task, template);
}

/* In which of the groups is that entry, the person's or one of their groups'? False: the task has
 * been answered or waits again. */
static bool ask_nested(struct rg_ldap_directory *directory, struct task *task, const char *member)
{
	struct rg_question *question = task->question;
	char nothing[] = LDAP_NO_ATTRS;
	char *attributes[] = {nothing, NULL};
	for (size_t i = 0; i < question->group_count; i++) {
		if (question->member[i] || !task->match.normal[i])
			continue;
		struct rg_buffer out = buffer_over(directory->filter, sizeof(directory->filter));
		buffer_u8(&out, '(');
		buffer_put(&out, span_text(lookup_groups(&directory->settings->lookup)->attribute));
		buffer_put(&out, span_text(":" RG_RULE_IN_CHAIN ":="));
		filter_escape(&out, span_text(question->groups[i]));
		buffer_put(&out, span_of(")", 2));
		if (out.failed)
			continue;
		if (!task_search(directory, task, SEARCH_NESTED, i, member, LDAP_SCOPE_BASE,
				 directory->filter, attributes, 1))
			return false;
	}
	return true;
}

static bool chain_wanted(const struct rg_lookup_groups *groups, const struct task *task)
{
	return groups->nested == RG_NESTED_ON ||
	       (groups->nested == RG_NESTED_AUTO && task->link->in_chain);
}

/* The primary group, which no memberOf names ([MS-ADTS] 3.1.1.4.5.35), by its SID
 * ([MS-ADTS] 3.1.1.3.1.2.4). */
static bool ask_primary(struct rg_ldap_directory *directory, struct task *task)
{
	char name[] = "cn", text[RG_SID_TEXT], base[RG_SID_TEXT + 8];
	char *attributes[] = {name, NULL};
	if (!lookup_groups(&directory->settings->lookup)->primary || task->primary == 0 ||
	    task->sid.length == 0)
		return true;
	struct rg_sid group = sid_sibling(&task->sid, task->primary);
	sid_text(&group, text);
	snprintf(base, sizeof(base), "<SID=%s>", text);
	return task_search(directory, task, SEARCH_PRIMARY, 0, base, LDAP_SCOPE_BASE,
			   "(objectClass=*)", attributes, 1);
}

static void read_primary(struct rg_ldap_directory *directory, struct task *task, LDAPMessage *entry)
{
	char *dn = entry_read_group(directory, task, entry);
	if (dn && chain_wanted(lookup_groups(&directory->settings->lookup), task))
		ask_nested(directory, task, dn);
	free(dn);
}

void task_entry(struct rg_ldap_directory *directory, struct search *search, LDAPMessage *entry)
{
	struct task *task = search->task;
	switch (search->kind) {
	case SEARCH_PERSON:
		entry_read_person(directory, task, entry);
		break;
	case SEARCH_DISABLED:
		task->disabled = true;
		break;
	case SEARCH_GROUPS:
		free(entry_read_group(directory, task, entry));
		break;
	case SEARCH_NESTED:
		task->question->member[search->group] = true;
		break;
	case SEARCH_PRIMARY:
		read_primary(directory, task, entry);
		break;
	}
}

static bool ask_groups(struct rg_ldap_directory *directory, struct task *task)
{
	const struct rg_lookup_groups *groups = lookup_groups(&directory->settings->lookup);
	char name[] = "cn";
	char *attributes[] = {name, NULL};
	if (!groups->present || task->question->group_count == 0)
		return true;
	bool chain = chain_wanted(groups, task);
	if (groups->attribute)
		return (!chain || ask_nested(directory, task, task->dn)) &&
		       ask_primary(directory, task);
	const char *filter =
		expand(directory, task, chain ? directory->nested_filter : groups->filter);
	if (filter)
		return task_search(directory, task, SEARCH_GROUPS, 0, groups->base,
				   LDAP_SCOPE_SUBTREE, filter, attributes, 0);
	task_answer(directory, task, RG_OUTCOME_UNAVAILABLE, "its name does not fit groups.filter");
	return false;
}

static bool ask_disabled(struct rg_ldap_directory *directory, struct task *task)
{
	const char *template = lookup_disabled(&directory->settings->lookup,
					       task->question->kind == RG_ASK_PASSWORD);
	char nothing[] = LDAP_NO_ATTRS;
	char *attributes[] = {nothing, NULL};
	if (!*template || task->disabled_asked)
		return true;
	const char *filter = expand(directory, task, template);
	if (filter)
		return task_search(directory, task, SEARCH_DISABLED, 0, task->dn, LDAP_SCOPE_BASE,
				   filter, attributes, 1);
	task_answer(directory, task, RG_OUTCOME_UNAVAILABLE, "its name does not fit disabled");
	return false;
}

static void task_verify(struct rg_ldap_directory *directory, struct task *task)
{
	const char *attribute = directory->settings->lookup.nt_hash_attribute;
	if (!directory->digests && attribute) /* there was no memory, perhaps, and now there is */
		directory->digests = nt_digests_new();
	if (!directory->digests)
		task_answer(directory, task, RG_OUTCOME_UNAVAILABLE, "%s",
			    attribute ? "OpenSSL's legacy provider is missing"
				      : "it has no nt_hash_attribute to verify MSCHAPv2 with");
	else if (!task->has_nt_hash)
		task_answer(directory, task, RG_OUTCOME_WRONG_SECRET, "%s: it has no %s", task->dn,
			    attribute);
	else
		task_answer(directory, task,
			    nt_hash_verify(directory->digests, task->nt_hash, task->question), "%s",
			    task->dn);
}

/* The entry is one that may sign in: is it the person? */
static void task_prove(struct rg_ldap_directory *directory, struct task *task)
{
	switch (task->question->kind) {
	case RG_ASK_IDENTITY:
		task_answer(directory, task, RG_OUTCOME_FOUND, "%s", task->dn);
		break;
	case RG_ASK_PASSWORD:
		bind_wait(directory, task);
		break;
	case RG_ASK_MSCHAPV2:
		task_verify(directory, task);
		break;
	}
}

/* Everything that the servers had to say is known. */
static void task_conclude(struct rg_ldap_directory *directory, struct task *task)
{
	const struct rg_lookup *lookup = &directory->settings->lookup;
	struct rg_question *question = task->question;
	bool certificate = lookup->certificate_attribute && question->certificate.length > 0;
	struct rg_choices ways = lookup_mapping(lookup);
	const char *why = "";
	if (task->unread || task->match.unsure) {
		task_answer(directory, task, RG_OUTCOME_UNAVAILABLE, "no memory");
	} else if (task->disabled) {
		task_answer(directory, task, RG_OUTCOME_DISABLED, "%s", task->dn);
	} else if (task->locked) {
		task_answer(directory, task, RG_OUTCOME_LOCKED, "%s", task->dn);
	} else if (task->mapping && !mapping_holds(task->mapping, &ways, &why)) {
		task_answer(directory, task, RG_OUTCOME_OTHER_CERTIFICATE, "%s: %s", task->dn, why);
	} else if (certificate && !task->same_certificate) {
		task_answer(directory, task, RG_OUTCOME_OTHER_CERTIFICATE, "%s: %s %s", task->dn,
			    task->has_certificate ? "none of its" : "it has no",
			    lookup->certificate_attribute);
	} else {
		task_prove(directory, task);
	}
}

static void judge_person(struct rg_ldap_directory *directory, struct task *task, int code)
{
	if (task->entries > 1 || (task->entries == 1 && code == LDAP_SIZELIMIT_EXCEEDED)) {
		task_answer(directory, task, RG_OUTCOME_AMBIGUOUS, "%s and others",
			    task->dn ? task->dn : "?");
		return;
	}
	if (task->entries == 0) {
		task_answer(directory, task, RG_OUTCOME_NO_ENTRY, "none below %s",
			    directory->settings->lookup.base);
		return;
	}
	if (!task->dn) {
		task_answer(directory, task, RG_OUTCOME_UNAVAILABLE, "no memory");
		return;
	}
	task->stage = TASK_JUDGING;
	if (ask_disabled(directory, task) && ask_groups(directory, task) &&
	    task->open_searches == 0)
		task_conclude(directory, task);
}

void task_searched(struct rg_ldap_directory *directory, struct search *search, int code,
		   const char *text)
{
	struct task *task = search->task;
	task->open_searches--;
	bool enough = code == LDAP_SIZELIMIT_EXCEEDED &&
		      ((search->kind == SEARCH_PERSON && task->entries > 0) ||
		       (search->kind == SEARCH_DISABLED && task->disabled));
	/* "No such object" as well: a base that is not there says nothing about the person. */
	if (code != LDAP_SUCCESS && !enough)
		task_answer(directory, task, RG_OUTCOME_UNAVAILABLE, "%s: %s%s%s",
			    task->server->uri,
			    code == LDAP_REFERRAL ? "refers elsewhere, which is not followed"
						  : ldap_err2string(code),
			    *text ? ": " : "", text);
	else if (search->kind == SEARCH_PERSON)
		judge_person(directory, task, code);
	else if (task->open_searches == 0)
		task_conclude(directory, task);
}
