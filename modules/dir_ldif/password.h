/* Passwords as userPassword holds them (RFC 2307 §5.3, RFC 3112's schemes by their usual names). */
#ifndef DIR_LDIF_PASSWORD_H
#define DIR_LDIF_PASSWORD_H
#include "roamgate/span.h"

enum rg_password { RG_PASSWORD_RIGHT, RG_PASSWORD_WRONG, RG_PASSWORD_UNKNOWN_SCHEME };

/* stored: {SSHA}, {SHA}, their 256 and 512, {PBKDF2} and {PBKDF2-SHA1, -SHA256, -SHA512} as OpenLDAP's
 * pw-pbkdf2 writes them, {CRYPT}, or clear text. In constant time for equal lengths. */
enum rg_password password_verify(struct rg_span stored, struct rg_span given);

/* It is the password itself, and no "{SCHEME}…" of it. */
bool password_is_clear(struct rg_span stored);
#endif
