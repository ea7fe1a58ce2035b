/* What one turn asks a server leaves together, in one message of TLS and by one system call: a
 * layer between libldap and TLS, which keeps requests until they are sent. */
#ifndef DIR_LDAP_GATHER_H
#define DIR_LDAP_GATHER_H
#include <ldap.h>
#include <stdbool.h>

struct rg_gather;

/* From now on requests of this connection, which is made already, wait for gather_send. It lives as
 * long as the connection, whose end sends what waits, as far as the socket takes it. NULL: no
 * memory. */
struct rg_gather *gather_requests(Sockbuf *);

enum rg_gathered {
	RG_GATHERED_SENT, /* nothing waits any more */
	RG_GATHERED_FULL, /* the socket takes no more for now: again, once it does */
	RG_GATHERED_LOST, /* the connection is gone */
};

enum rg_gathered gather_send(struct rg_gather *);
#endif
