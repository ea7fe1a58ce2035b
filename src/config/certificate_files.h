/* The files of an eap group, or of a credential, read and judged together. */
#ifndef RG_CONFIG_CERTIFICATE_FILES_H
#define RG_CONFIG_CERTIFICATE_FILES_H
#include "config/raddb.h"

/* What the certificate is shown as: bits. */
#define RG_SHOWN_TO_LAPTOPS 1u /* by the server of an EAP method */
#define RG_SHOWN_TO_CLIENTS 2u /* by a RadSec server */
#define RG_SHOWN_TO_SERVERS 4u /* by a RadSec client */

struct rg_certificate_files {
	unsigned shown;
	const char *certificate, *private_key, *ca, *crl; /* absolute; NULL: passed over */
};

struct rg_file_finding {
	const struct rg_file_finding *next;
	bool error;
	const char *key;     /* "private_key" */
	const char *message; /* "is encrypted: …" */
};

/* In the order found, in the arena; NULL: all is well. A file that is absent or cannot be opened is passed
 * over: the rows have complained of it. */
const struct rg_file_finding *certificate_files_judge(struct rg_arena *,
						      const struct rg_certificate_files *);
#endif
