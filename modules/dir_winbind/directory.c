/* A question goes to LDAP first, which finds the entry, its groups and what speaks against it; only
 * then, with the name that the account has in its domain, an MSCHAPv2 response goes to winbindd. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/secret.h"
#include "modules/dir_ldap/dir_ldap.h"
#include "verifier.h"

struct rg_winbind_directory {
	const struct rg_winbind_settings *settings;
	struct rg_ldap_settings ldap;
	void *people; /* dir_ldap's */
	struct rg_verifier *verifier;
};

struct errand {
	struct rg_question inner; /* what LDAP is asked */
	struct rg_question *outer;
	struct rg_winbind_directory *directory;
};

static void errand_end(struct errand *errand, enum rg_outcome outcome)
{
	struct rg_question *outer = errand->outer;
	outer->outcome = outcome;
	for (size_t i = 0; outcome != RG_OUTCOME_FOUND && i < outer->group_count; i++)
		outer->member[i] = false;
	secret_wipe(errand, sizeof(*errand));
	free(errand);
	outer->answered(outer);
}

static void on_verified(void *context, enum rg_outcome outcome, const char *detail,
			const uint8_t hash_hash[16])
{
	struct errand *errand = context;
	struct rg_question *outer = errand->outer;
	if (outcome == RG_OUTCOME_FOUND)
		memcpy(outer->hash_hash, hash_hash, sizeof(outer->hash_hash));
	if (outcome == RG_OUTCOME_UNAVAILABLE)
		snprintf(outer->detail, sizeof(outer->detail), "%s", detail);
	else
		snprintf(outer->detail, sizeof(outer->detail), "%.90s%s%s", errand->inner.detail,
			 *detail ? ": " : "", detail);
	errand_end(errand, outcome);
}

static void errand_verify(struct errand *errand)
{
	struct rg_question *outer = errand->outer;
	struct rg_winbind_directory *directory = errand->directory;
	struct rg_verification asked = {.verified = on_verified, .context = errand};
	uint64_t due = clock_now() + (uint64_t)directory->settings->verify_ms * RG_MS;
	asked.due_ns = due < outer->deadline_ns ? due : outer->deadline_ns;
	snprintf(asked.account, sizeof(asked.account), "%s", errand->inner.canonical);
	memcpy(asked.challenge, outer->challenge, sizeof(asked.challenge));
	memcpy(asked.nt_response, outer->nt_response, sizeof(asked.nt_response));
	if (!*asked.account || !verifier_ask(directory->verifier, &asked)) {
		snprintf(outer->detail, sizeof(outer->detail), "%s",
			 *asked.account ? "no memory" : "the entry shows no sAMAccountName");
		errand_end(errand, RG_OUTCOME_UNAVAILABLE);
	}
	secret_wipe(&asked, sizeof(asked));
}

/* On LDAP's thread, which may not wait. */
static void on_looked_up(struct rg_question *inner)
{
	struct errand *errand = (struct errand *)((char *)inner - offsetof(struct errand, inner));
	struct rg_question *outer = errand->outer;
	memcpy(outer->detail, inner->detail, sizeof(outer->detail));
	if (inner->outcome == RG_OUTCOME_FOUND && outer->kind == RG_ASK_MSCHAPV2)
		errand_verify(errand);
	else
		errand_end(errand, inner->outcome);
}

bool directory_ask_winbind(void *opaque, struct rg_question *outer)
{
	struct rg_winbind_directory *directory = opaque;
	struct errand *errand = calloc(1, sizeof(*errand));
	if (!errand)
		return false;
	errand->outer = outer;
	errand->directory = directory;
	struct rg_question *inner = &errand->inner;
	inner->kind = outer->kind == RG_ASK_MSCHAPV2 ? RG_ASK_IDENTITY : outer->kind;
	inner->identity = outer->identity;
	inner->user = outer->user;
	inner->realm = outer->realm;
	inner->host = outer->host;
	inner->password = outer->password;
	inner->certificate = outer->certificate;
	inner->groups = outer->groups;
	inner->group_count = outer->group_count;
	inner->member = outer->member;
	inner->deadline_ns = outer->deadline_ns;
	inner->answered = on_looked_up;
	if (directory_ask_ldap(directory->people, inner))
		return true;
	free(errand);
	return false;
}

void directory_status_winbind(void *opaque,
			      void (*each)(void *context, const struct rg_directory_server *),
			      void *context)
{
	struct rg_winbind_directory *directory = opaque;
	struct rg_winbind_state state;
	directory_status_ldap(directory->people, each, context);
	verifier_state(directory->verifier, &state);
	struct rg_directory_server server = {"winbind:", state.state, state.why, state.since};
	each(context, &server);
}

void *directory_open_winbind(const void *settings, const char *name)
{
	struct rg_winbind_directory *directory = calloc(1, sizeof(*directory));
	if (!directory)
		return NULL;
	directory->settings = settings;
	directory->ldap = winbind_ldap(settings);
	directory->verifier = verifier_open(settings, name);
	if (directory->verifier)
		directory->people = directory_open_ldap(&directory->ldap, name);
	if (directory->people)
		return directory;
	int error = errno;
	verifier_close(&directory->verifier);
	free(directory);
	errno = error;
	return NULL;
}

void directory_close_winbind(void *opaque)
{
	struct rg_winbind_directory *directory = opaque;
	/* Whatever LDAP still finds comes to the verifier, which therefore goes last. */
	directory_close_ldap(directory->people);
	verifier_close(&directory->verifier);
	free(directory);
}
