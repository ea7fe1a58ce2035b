/* libldap encodes requests into its own memory and frees that as it is (liblber's memory functions
 * are not for it: it calls them only with a context, which libldap has none of). Passwords pass
 * through there. */
#ifndef DIR_LDAP_WIPE_H
#define DIR_LDAP_WIPE_H
#include <ldap.h>
#include <stdbool.h>

/* From now on requests of this connection, which is made already, are wiped as they are sent.
 * False: no memory. */
bool wipe_requests(LDAP *);
#endif
