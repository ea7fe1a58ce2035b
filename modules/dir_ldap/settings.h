/* The `directory` group of a realm with type = "ldap". */
#ifndef DIR_LDAP_SETTINGS_H
#define DIR_LDAP_SETTINGS_H
#include "directory/lookup.h"

#define RG_LDAP_CONNECTIONS_MOST 32

struct rg_ldap_settings {
	struct rg_strings uris;
	bool starttls;
	const char *ca; /* NULL: the system's store */
	const char *bind_dn;
	struct rg_secret *bind_password;
	struct rg_lookup lookup;
	int64_t timeout_ms, connections, retry_s, queue;
};

extern const struct rg_row settings_rows[];

/* Judges them together; no I/O. */
void settings_check(const void *settings, struct rg_complaint *);
#endif
