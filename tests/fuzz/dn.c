/* Names and identifiers of a directory: distinguished names beside libldap's own spelling of them,
 * and SIDs in both their forms. */
#include "fuzz.h"

#include <ldap.h>

#include "directory/dn.h"
#include "directory/sid.h"

/* "cn=#", an empty value in hexadecimal, libldap writes and does not read. */
static bool ends_in_hash(const char *spelt)
{
	const char *at = spelt;
	while ((at = strchr(at, '#')) && at[1] && !strchr(",+", at[1]))
		at++;
	return at;
}

/* libldap reads the name and writes it anew, with the escapes that it likes: the same name to us.
 */
static void spelt_anew(const char *text, const char *normal)
{
	LDAPDN dn = NULL;
	char *spelt = NULL;
	MUST(ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS);
	if (ldap_dn2str(dn, &spelt, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS && spelt &&
	    !ends_in_hash(spelt)) {
		char *again = dn_normal(spelt);
		MUST(again && strcmp(again, normal) == 0);
		MUST(dn_equal(text, spelt));
		free(again);
	}
	ldap_memfree(spelt);
	ldap_dnfree(dn);
}

/* Separators stand between what libldap takes apart, and nowhere else. */
static void taken_apart(const char *text, const char *normal)
{
	LDAPDN dn = NULL;
	size_t names = 0, parts = 0, commas = 0, pluses = 0;
	MUST(ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS);
	for (; dn && dn[names]; names++)
		for (size_t i = 0; dn[names][i]; i++)
			parts++;
	for (const char *at = normal; *at; at++) {
		commas += *at == ',';
		pluses += *at == '+';
	}
	MUST(commas == (names ? names - 1 : 0) && pluses == parts - names);
	ldap_dnfree(dn);
}

/* A name is below each of its parents and below no longer one. */
static void relations(const char *normal)
{
	MUST(dn_within(normal, normal) && dn_within(normal, ""));
	const char *parent = normal;
	for (unsigned depth = 0; *parent; depth++) {
		const char *above = dn_parent(parent);
		MUST(depth < 4096 && strlen(above) < strlen(parent));
		MUST(dn_within(normal, above) && dn_within(parent, above));
		MUST(!dn_within(above, parent));
		parent = above;
	}
}

static void names(const char *text)
{
	char *normal = dn_normal(text);
	LDAPDN dn = NULL;
	if (!normal) {
		MUST(ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS);
		ldap_dnfree(dn);
		return;
	}
	for (const char *at = normal; *at; at++)
		MUST(*at < 'A' || *at > 'Z');
	char *again = dn_normal(normal);
	MUST(again && strcmp(again, normal) == 0);
	free(again);
	spelt_anew(text, normal);
	taken_apart(text, normal);
	relations(normal);
	free(normal);
}

static void identifiers(struct rg_span input)
{
	struct rg_sid sid, again;
	char text[RG_SID_TEXT];
	if (sid_read(&sid, input)) {
		MUST(span_equal(span_of(sid.octets, sid.length), input));
		sid_text(&sid, text);
		MUST(sid_parse(&again, span_text(text)) && sid_equal(&sid, &again));
	} else {
		MUST(sid.length == 0 && !sid_equal(&sid, &sid));
	}
	if (sid_parse(&sid, input)) {
		MUST(sid_read(&again, span_of(sid.octets, sid.length)) && sid_equal(&sid, &again));
		sid_text(&sid, text);
		MUST(sid_parse(&again, span_text(text)) && sid_equal(&sid, &again));
		again = sid_sibling(&sid, 513);
		MUST(again.length == sid.length &&
		     memcmp(again.octets, sid.octets, sid.length - 4) == 0);
	} else {
		MUST(sid.length == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[1024];
	if (size >= sizeof(text))
		return 0;
	identifiers(span_of(data, size));
	if (size && memchr(data, 0, size))
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	names(text);
	return 0;
}
