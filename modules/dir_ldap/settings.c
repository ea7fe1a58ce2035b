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
#include "modules/dir_ldap/rows.h"
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
	if (strcmp(url->lud_scheme, "ldapi") != 0 && (url->lud_port < 0 || url->lud_port > 65535))
		complain_error(complaint, "uris", "the port of \"%s\" must be from 1 to 65535", uri);
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
