#include "settings.h"

#include <ldap.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(field) offsetof(struct rg_ldap_settings, field)

const struct rg_row settings_rows[] = {
	{.name = "type",
	 .type = RG_CHOICE,
	 .offset = FIELD(lookup.type),
	 .fallback = "ldap",
	 .choices = lookup_types,
	 .help = "ldap, or a product whose filters, groups and certificate mapping are preset"},
	{.name = "uris",
	 .type = RG_STRINGS,
	 .offset = FIELD(uris),
	 .flags = RG_REQUIRED,
	 .help = "servers, tried in order: ldaps://HOST, ldap://HOST, ldapi://PATH"},
	{.name = "starttls",
	 .type = RG_BOOLEAN,
	 .offset = FIELD(starttls),
	 .fallback = "true",
	 .help = "for ldap:// URIs; false is allowed on loopback only"},
	{.name = "ca",
	 .type = RG_FILE,
	 .offset = FIELD(ca),
	 .help = "who may vouch for the servers' names; absent: the system's store"},
	{.name = "bind_dn",
	 .type = RG_STRING,
	 .offset = FIELD(bind_dn),
	 .help = "whom to search as; absent: anonymously"},
	{.name = "bind_password",
	 .type = RG_SECRET,
	 .offset = FIELD(bind_password),
	 .help = "its password"},
	{.name = "base",
	 .type = RG_STRING,
	 .offset = FIELD(lookup.base),
	 .flags = RG_REQUIRED,
	 .help = "where people are looked for"},
	{.name = "scope",
	 .type = RG_CHOICE,
	 .offset = FIELD(lookup.scope),
	 .fallback = "sub",
	 .choices = lookup_scopes,
	 .help = "sub: anywhere below base; one: right below; base: itself"},
	{.name = "filter",
	 .type = RG_STRING,
	 .offset = FIELD(lookup.filter),
	 .help = "which entry is the person's"},
	{.name = "disabled",
	 .type = RG_STRING,
	 .offset = FIELD(lookup.disabled),
	 .help = "an entry that matches is refused; \"\": none is"},
	{.name = "groups",
	 .type = RG_GROUP,
	 .offset = FIELD(lookup.groups),
	 .rows = lookup_group_rows,
	 .size = sizeof(struct rg_lookup_groups),
	 .present = FIELD(lookup.groups.present),
	 .help = "how a person's groups are found"},
	{.name = "certificate_attribute",
	 .type = RG_STRING,
	 .offset = FIELD(lookup.certificate_attribute),
	 .help = "the certificate must be one of its values"},
	{.name = "certificate_mapping",
	 .type = RG_CHOICES,
	 .offset = FIELD(lookup.certificate_mapping),
	 .choices = lookup_mappings,
	 .help = "how a certificate has to be mapped to the entry; off: it need not be"},
	{.name = "account_control",
	 .type = RG_STRING,
	 .offset = FIELD(lookup.account_control),
	 .help = "attribute with the bits that Active Directory computes: an entry with 16 is locked"},
	{.name = "nt_hash_attribute",
	 .type = RG_STRING,
	 .offset = FIELD(lookup.nt_hash_attribute),
	 .help = "for MSCHAPv2: the NT hash, as digits or octets; the account of bind_dn must be let read it"},
	{.name = "timeout_ms",
	 .type = RG_INTEGER,
	 .offset = FIELD(timeout_ms),
	 .fallback = "2000",
	 .least = 50,
	 .most = 60000,
	 .help = "a server that answers no search so long is down"},
	{.name = "connections",
	 .type = RG_INTEGER,
	 .offset = FIELD(connections),
	 .fallback = "4",
	 .least = 1,
	 .most = RG_LDAP_CONNECTIONS_MOST,
	 .help = "most connections to search on, and as many more to bind people on"},
	{.name = "retry_s",
	 .type = RG_INTEGER,
	 .offset = FIELD(retry_s),
	 .fallback = "30",
	 .least = 1,
	 .most = 3600,
	 .help = "longest time that a server that is down is left alone while another one serves"},
	{.name = "queue",
	 .type = RG_INTEGER,
	 .offset = FIELD(queue),
	 .fallback = "4096",
	 .least = 1,
	 .most = 1000000,
	 .help = "most questions that wait at once"},
	{0},
};

static bool host_is_loopback(const LDAPURLDesc *url)
{
	const char *host = url->lud_host ? url->lud_host : "";
	if (strcmp(url->lud_scheme, "ldapi") == 0)
		return true;
	/* libldap connects to localhost where no host is given. */
	return !*host || strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
	       strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0;
}

static bool scheme_known(const LDAPURLDesc *url)
{
	return strcmp(url->lud_scheme, "ldap") == 0 || strcmp(url->lud_scheme, "ldaps") == 0 ||
	       strcmp(url->lud_scheme, "ldapi") == 0;
}

static void check_uri(const struct rg_ldap_settings *settings, const char *uri,
		      struct rg_complaint *complaint)
{
	LDAPURLDesc *url = NULL;
	if (strpbrk(uri, " \t\r\n") || ldap_url_parse(uri, &url) != LDAP_URL_SUCCESS ||
	    !scheme_known(url)) {
		complain_error(complaint, "uris", "\"%s\" is no ldap://, ldaps:// or ldapi:// URI",
			       uri);
		goto out;
	}
	if ((url->lud_dn && *url->lud_dn) || url->lud_attrs || url->lud_filter || url->lud_exts)
		complain_error(complaint, "uris", "\"%s\" says more than a host and a port", uri);
	bool plain = strcmp(url->lud_scheme, "ldap") == 0;
	if (plain && !settings->starttls && !host_is_loopback(url))
		complain_error(complaint, "starttls",
			       "false is allowed on loopback only, and \"%s\" is elsewhere", uri);
	bool tls = strcmp(url->lud_scheme, "ldaps") == 0 || (plain && settings->starttls);
	if (tls && !settings->ca)
		complain_warning(complaint, "ca",
				 "is missing: any CA of the system's store may vouch for \"%s\"",
				 uri);
out:
	ldap_free_urldesc(url);
}

void settings_check(const void *opaque, struct rg_complaint *complaint)
{
	const struct rg_ldap_settings *settings = opaque;
	if (settings->uris.count == 0)
		complain_error(complaint, "uris", "names no server");
	for (size_t i = 0; i < settings->uris.count; i++)
		check_uri(settings, settings->uris.items[i], complaint);
	bool password = settings->bind_password && settings->bind_password->length > 0;
	bool dn = settings->bind_dn && *settings->bind_dn;
	/* RFC 4513 §5.1.2: a name without password is an unauthenticated bind, which looks like
	 * success. */
	if (dn && !password)
		complain_error(complaint, "bind_password", "is missing: bind_dn wants one");
	if (!dn && settings->bind_password)
		complain_error(complaint, "bind_dn", "is missing: whose password is it?");
	lookup_check(&settings->lookup, complaint);
}
