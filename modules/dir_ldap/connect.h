/* Making one connection: resolve, connect, TLS, and bind as the gateway's own account. It blocks, so
 * a thread of its own does it. */
#ifndef DIR_LDAP_CONNECT_H
#define DIR_LDAP_CONNECT_H
#include <ldap.h>
#include <stdatomic.h>

#include "gather.h"
#include "settings.h"

enum rg_connected {
	RG_CONNECTED,
	RG_CONNECT_FAILED,
};

struct rg_connect {
	const struct rg_ldap_settings *settings;
	const char *uri;
	bool for_people; /* only to bind people on: nothing is asked or bound yet */
	const atomic_bool *stop; /* gives up at the next step once it is set */
	/* Called once the socket is connected, before TLS: whoever wants to end the attempt early
	 * shuts that socket down. */
	void (*connected)(struct rg_connect *, int fd);
	/* Written by connection_make. */
	struct ldap_conncb callback;
	bool reached; /* TCP is connected */
	LDAP *handle; /* CONNECTED; its socket does not block */
	/* Of the handle. Unless for_people it reads ahead: what has come may be in there, where the
	 * socket does not show it. */
	Sockbuf *sockbuf;
	struct rg_gather *gather; /* its requests; NULL for_people */
	int fd;
	bool in_chain; /* the server says it has LDAP_MATCHING_RULE_IN_CHAIN */
	char why[160]; /* else */
};

/* Call before any other thread uses libldap: readies it. False, with errno: no
 * memory. */
bool connection_prepare(void);

/* Connecting takes timeout_ms for each address at the most, resolving as long as the resolver's own
 * time; from `connected` on it takes as long as the server lets it take, or until the socket is
 * shut down. */
enum rg_connected connection_make(struct rg_connect *);
#endif
