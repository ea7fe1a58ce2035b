/* An Active Directory of which winbindd verifies MSCHAPv2: people are looked up over LDAP, as by
 * dir_ldap. */
#ifndef DIR_WINBIND_DIR_WINBIND_H
#define DIR_WINBIND_DIR_WINBIND_H
#include "modules/dir_ldap/settings.h"

struct rg_winbind_settings {
	struct rg_ldap_settings ldap; /* first: its rows are these settings' too */
	const char *domain;           /* NetBIOS name; NULL: winbindd's own */
	int64_t verifiers, verify_ms;
};

/* The LDAP part, with what every Active Directory has. Borrows. */
struct rg_ldap_settings winbind_ldap(const struct rg_winbind_settings *);

void *directory_open_winbind(const void *settings, const char *name);
bool directory_ask_winbind(void *directory, struct rg_question *);
void directory_status_winbind(void *directory,
			      void (*each)(void *context, const struct rg_directory_server *),
			      void *context);
void directory_close_winbind(void *directory);
#endif
