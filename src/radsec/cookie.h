/* Cookies of DTLS (RFC 6347 §4.2.1): only who receives at its address can send one back, and nothing is kept meanwhile. */
#ifndef RG_RADSEC_COOKIE_H
#define RG_RADSEC_COOKIE_H
#include <openssl/ssl.h>

/* OpenSSL's callbacks. */
int cookie_make(SSL *, unsigned char *cookie, unsigned *length);
int cookie_check(SSL *, const unsigned char *cookie, unsigned length);
#endif
