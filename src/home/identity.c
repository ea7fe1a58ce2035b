#include "home/identity.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/text.h"
#include "route/nai.h"
#include "route/table.h"

#define DETAIL 160

static bool names_machine(const char *name)
{
	return strncasecmp(name, "host/", 5) == 0;
}

/* Splits the name that counts; false: it cannot be one (too long, or no name of any form). */
static bool take_apart(struct rg_identity *identity, const struct rg_realm *realm, const char *name)
{
	struct rg_nai nai;
	bool plain = !strchr(name, '@') && !names_machine(name);
	*identity = (struct rg_identity){0};
	if (!text_from_span(identity->identity, sizeof(identity->identity), span_text(name)))
		return false;
	if (plain) { /* a name without '@' belongs to the realm */
		snprintf(identity->user, sizeof(identity->user), "%s", identity->identity);
		snprintf(identity->realm, sizeof(identity->realm), "%s", realm->name);
		return identity->user[0] != '\0';
	}
	if (nai_parse(&nai, span_text(identity->identity)) != RG_NAI_OK)
		return false;
	text_from_span(identity->user, sizeof(identity->user), nai.user);
	if (nai.machine) {
		text_from_span(identity->host, sizeof(identity->host), nai.realm);
		snprintf(identity->realm, sizeof(identity->realm), "%s", realm->name);
	} else {
		text_from_span(identity->realm, sizeof(identity->realm), nai.realm);
		text_lower(identity->realm);
	}
	return true;
}

/* The name goes where a request for it would: a more specific realm or route below a wildcard has people of its own,
 * whoever signed their certificates. A name without realm is the realm's by definition. */
static bool lies_within(const struct rg_identity *identity, const struct rg_realm *realm,
			const struct rg_route_table *routes)
{
	struct rg_nai nai;
	if (nai_parse(&nai, span_text(identity->identity)) != RG_NAI_OK)
		return true; /* take_apart let no other in */
	struct rg_destination owner = route_table_find(routes, &nai);
	return owner.way == RG_WAY_HOME && owner.realm == realm;
}

static bool anonymous(struct rg_span user)
{
	return user.length == 0 ||
	       (user.length >= 4 && text_equal_nocase(span_of(user.data, 4), span_text("anon")));
}

static bool outer_fits(const struct rg_identity *identity, const char *outer)
{
	struct rg_nai nai;
	if (strcasecmp(outer, identity->identity) == 0)
		return true;
	if (nai_parse(&nai, span_text(outer)) != RG_NAI_OK)
		return false;
	if (nai.machine)
		return text_equal_nocase(nai.realm, span_text(identity->host));
	if (anonymous(nai.user))
		return true;
	/* A certificate or a tunnel that says "jan" means jan@ of the realm. */
	return !strchr(identity->identity, '@') && identity->host[0] == '\0' &&
	       text_equal_nocase(nai.user, span_text(identity->user));
}

/* A certificate whose CN is a machine's FQDN, shown by who calls itself host/FQDN, is that machine's. */
static const char *machine_name(const struct rg_proof *proof, const char *outer, char out[256])
{
	if (names_machine(outer) && proof->kind == RG_NAME_SUBJECT_CN &&
	    strcasecmp(outer + 5, proof->identity) == 0 &&
	    (size_t)snprintf(out, 256, "host/%s", proof->identity) < 256)
		return out;
	return proof->identity;
}

/* Whose name it is that does not fit, in the words of a detail. */
struct origin {
	const char *what;
	enum rg_reason malformed, elsewhere;
};

static const struct origin certificates = {"certificate", RG_REASON_CERTIFICATE_INVALID,
					   RG_REASON_CERTIFICATE_OTHER_REALM};
static const struct origin tunnels = {"tunnel", RG_REASON_REALM_MALFORMED,
				      RG_REASON_IDENTITY_MISMATCH};

/* What Windows writes before a name is its own notion of where the account is: the realm's directory knows. */
static const char *without_domain(const char *name)
{
	const char *slash = strchr(name, '\\');
	return slash ? slash + 1 : name;
}

/* Inside a tunnel the realm is the outer one or below it: another one of the same municipality would have
 * been asked by its own name. */
static bool below_outer(const struct rg_identity *identity, const char *outer)
{
	struct rg_nai nai;
	if (!strchr(identity->identity, '@') || identity->host[0])
		return true;
	if (nai_parse(&nai, span_text(outer)) != RG_NAI_OK || nai.machine)
		return false;
	size_t length = strlen(identity->realm);
	if (length < nai.realm.length)
		return false;
	const char *tail = identity->realm + (length - nai.realm.length);
	return text_equal_nocase(span_text(tail), nai.realm) &&
	       (tail == identity->realm || tail[-1] == '.');
}

/* A UPN and a mail address are people's, who may have chosen them. */
static bool may_name_machine(const struct rg_proof *proof)
{
	return proof->kind != RG_NAME_SAN_UPN && proof->kind != RG_NAME_SAN_EMAIL;
}

enum rg_reason identity_settle(struct rg_identity *identity, const struct rg_realm *realm,
			       const struct rg_route_table *routes, const struct rg_proof *proof,
			       const char *outer, char *detail)
{
	char machine[256], shown[100], shown_outer[100];
	bool inner = proof->kind == RG_NAME_INNER;
	const struct origin *from = inner ? &tunnels : &certificates;
	if (!proof->identity) {
		snprintf(detail, DETAIL, inner ? "no name came in the tunnel"
					       : "the certificate bears no name of identity_from");
		return from->malformed;
	}
	const char *name = inner ? without_domain(proof->identity)
				 : machine_name(proof, outer, machine);
	text_escape(shown, sizeof(shown), span_text(name));
	if (names_machine(name) && !may_name_machine(proof)) {
		snprintf(detail, DETAIL, "a machine where a person's name stands: %s",
			 shown);
		return RG_REASON_CERTIFICATE_INVALID;
	}
	if (!take_apart(identity, realm, name)) {
		snprintf(detail, DETAIL, "the %s's name is no identity: %s", from->what, shown);
		return from->malformed;
	}
	if (!lies_within(identity, realm, routes) || (inner && !below_outer(identity, outer))) {
		snprintf(detail, DETAIL, "the %s names %s, which is not in %s", from->what, shown,
			 inner ? "the outer realm" : realm->name);
		return from->elsewhere;
	}
	if (realm->eap.outer_identity == RG_OUTER_ANONYMOUS_OR_SAME && !outer_fits(identity, outer)) {
		text_escape(shown_outer, sizeof(shown_outer), span_text(outer));
		snprintf(detail, DETAIL, "outer %.60s, %s %.60s", shown_outer, from->what, shown);
		return RG_REASON_IDENTITY_MISMATCH;
	}
	return RG_REASON_NONE;
}
