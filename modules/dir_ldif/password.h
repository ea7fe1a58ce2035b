/* Passwords as userPassword holds them (RFC 2307 §5.3, RFC 3112's schemes by their usual names). */
#ifndef DIR_LDIF_PASSWORD_H
#define DIR_LDIF_PASSWORD_H
#include "roamgate/span.h"

enum rg_password { RG_PASSWORD_RIGHT, RG_PASSWORD_WRONG, RG_PASSWORD_UNKNOWN_SCHEME };

/* stored: {SSHA}, {SHA}, their 256 and 512, {CRYPT}, or clear text. In constant time for equal
 * lengths. */
enum rg_password password_verify(struct rg_span stored, struct rg_span given);
#endif
