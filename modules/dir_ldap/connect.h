/* Making one connection: resolve, connect, TLS, bind. It blocks, so a thread of its own does it. */
#ifndef DIR_LDAP_CONNECT_H
#define DIR_LDAP_CONNECT_H
#include <ldap.h>
#include <stdatomic.h>

#include "settings.h"

enum rg_connected {
	RG_CONNECTED,
	RG_CONNECT_REFUSED, /* the server says that this is not the password of dn */
	RG_CONNECT_FAILED,
};

struct rg_connect {
	const struct rg_ldap_settings *settings;
	const char *uri;
	const char *dn; /* whom to bind as; NULL or "": nobody */
	struct rg_span password;
	const atomic_bool *stop; /* gives up at the next step once it is set */
	/* Called once the socket is connected, before TLS: whoever wants to end the attempt early
	 * shuts that socket down. */
	void (*connected)(struct rg_connect *, int fd);
	/* Written by connection_make. */
	struct ldap_conncb callback;
	bool reached; /* TCP is connected */
	LDAP *handle; /* CONNECTED; its socket does not block */
	int fd;
	bool in_chain; /* the server says it has LDAP_MATCHING_RULE_IN_CHAIN */
	char why[160]; /* else */
};

/* Call once before any other thread uses libldap. */
void connection_prepare(void);

/* Connecting takes timeout_ms for each address at the most, resolving as long as the resolver's own
 * time; from `connected` on it takes as long as the server lets it take, or until the socket is
 * shut down. */
enum rg_connected connection_make(struct rg_connect *);
#endif
