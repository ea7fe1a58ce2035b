/* A raddb in a directory of its own, with certificates that fit, for tests to spoil. */
#ifndef KIT_H
#define KIT_H
#include <stdbool.h>
#include <stddef.h>

#include "config/raddb.h"

/* A whole good raddb: roamgate.cfg, clients.d/clients.cfg, realms.d/beuningen.cfg, federation.d/peers.cfg,
 * secrets/client, secrets/peer, certs/. The path is static until the next call. */
const char *kit_new(void);
/* Writes a file of it anew; NULL text removes it. Directories are made. */
void kit_write(const char *name, const char *text);
void kit_write_octets(const char *name, const void *data, size_t length);
void kit_mode(const char *name, unsigned mode);
/* Its text, with the first occurrence of `from` replaced; fails the test where there is none. */
void kit_replace(const char *name, const char *from, const char *to);
void kit_copy(const char *from, const char *to);
void kit_remove(void);

struct rg_raddb *kit_load(struct rg_report *);
/* Whether some error (or warning) stands at that place, its key and message holding those words. NULL and 0:
 * whatever. */
bool kit_found(const struct rg_report *, bool warning, const char *file, unsigned line, const char *key,
	       const char *word);
/* Prints the report to stderr: where an assertion is about to fail. */
void kit_show(const struct rg_report *);

/* Beside kit_new's: federation.d/radsec.cfg, with a credential, listens, peers and clients of tls and dtls. */
void kit_radsec(void);

/* Certificates, written over the good ones. */
struct kit_leaf {
	const char *base;     /* of the files' names, before .pem and .key; NULL: "certs/server" */
	const char *usage;    /* extended key usage; NULL: serverAuth, "": none */
	const char *cn, *dns; /* dns NULL: no subjectAltName */
	int days;	      /* from now; negative: ended */
	bool no_server_auth, with_root;
	const char *passphrase; /* of the key file */
	bool other_key;		/* the key file holds a key of its own */
};
void kit_leaf(const struct kit_leaf *);
/* days from now; foreign: signed by a CA that the raddb does not name. */
void kit_crl(int days, bool foreign);
#endif
