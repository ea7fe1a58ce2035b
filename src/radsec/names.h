/* Which names a RadSec peer's certificate bears: those of its subjectAltName, never its CN
 * (draft-ietf-radext-radiusdtls-bis). */
#ifndef RG_RADSEC_NAMES_H
#define RG_RADSEC_NAMES_H
#include <openssl/x509.h>

#include "roamgate/module.h"

#define RG_BORNE_MOST 256 /* names of one certificate that are looked at */

/* The names of one certificate, read once however many are asked about. */
struct rg_borne;
struct rg_borne *borne_of(X509 *); /* NULL: no memory */
void borne_free(struct rg_borne **);

/* Whether it bears one of them: as dNSName (a wildcard only as the whole left label), as iPAddress, or as NAIRealm
 * (RFC 7585 §2.2). which, unless NULL, is set to that one. */
bool borne_has(const struct rg_borne *, const struct rg_strings *names, const char **which);
/* The realms that a server may answer for are in its certificate (RFC 7585 §2.2). */
bool borne_has_realm(const struct rg_borne *, const char *realm);
#endif
