/* Which names a RadSec peer's certificate bears: those of its subjectAltName, never its CN
 * (draft-ietf-radext-radiusdtls-bis). */
#ifndef RG_RADSEC_NAMES_H
#define RG_RADSEC_NAMES_H
#include <openssl/x509.h>

#include "roamgate/module.h"

/* Whether it bears one of them: as dNSName (a wildcard only as the whole left label), as iPAddress, or as NAIRealm
 * (RFC 7585 §2.2). which, unless NULL, is set to that one. */
bool names_borne(X509 *, const struct rg_strings *names, const char **which);
/* The realms that a server may answer for are in its certificate (RFC 7585 §2.2). */
bool names_realm_borne(X509 *, const char *realm);
#endif
