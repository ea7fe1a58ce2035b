/* The library context that handshakes run in: OpenSSL's own algorithms, only fewer of them. */
#ifndef RG_TLS_LIBRARY_H
#define RG_TLS_LIBRARY_H
#include <openssl/types.h>
#include <stdbool.h>

/* For each certificate that OpenSSL 3 reads it walks over everything that its providers have, to
 * find what decodes the public key: a fifth of what a handshake costs, or more. In this context a
 * provider of our own (provider-base(7)) passes on what handshakes need of OpenSSL's default
 * provider, and nothing else: a certificate's key is EC, RSA, RSA-PSS, Ed25519 or Ed448.
 *
 * NULL, which OpenSSL takes for its default context: the administrator has chosen other providers
 * or properties in openssl.cnf, which then count; or there was no memory at this moment. Made once,
 * kept for the life of the process; any thread. */
OSSL_LIB_CTX *tls_library(void);

/* From now on it is seen where OpenSSL has no memory. Before all else of OpenSSL, secret_memory_open too. False: another
 * library was quicker, and nothing is seen. */
bool tls_library_watch(void);

/* Has OpenSSL make what it makes once a process, and without which it goes on: with locks that it has not, or to say of
 * every certificate that there was no memory. Before anything else of OpenSSL but
 * tls_library_watch and secret_memory_open, while there is one thread. False: there was no memory
 * for some of it, and never will be in this process. */
bool tls_library_begin(void);

/* How often OpenSSL had no memory for something in this thread, since tls_library_watch. It goes on without for the life of
 * what it makes: a context that lacks algorithms, a key of no strength, a certificate that is no CA's. What was made while
 * this grew counts for nothing. */
unsigned tls_library_refusals(void);
#endif
