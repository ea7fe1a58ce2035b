/* TLS without its cryptography, in the place of OpenSSL's: the functions of <openssl/ssl.h> that
 * src/eap calls, so that a fuzzer reaches what stands on them. Records are in the clear, and each
 * handshake message begins with an octet that says what it does. Nothing is drawn: the same input
 * goes the same way. */
#ifndef TESTS_FUZZ_TOY_TLS_H
#define TESTS_FUZZ_TOY_TLS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#define TOY_HANDSHAKE 22 /* types of a record's header: type, version (2), length (2) */
#define TOY_ALERT     21
#define TOY_DATA      23
#define TOY_RECORD    5

enum toy_does {
	TOY_GOES_ON,  /* a flight of as many times 16 octets as the next octet says, and waits */
	TOY_DONE_1_2, /* what follows in the message is data behind the handshake */
	TOY_DONE_1_3,
	TOY_RESUMES, /* the session of that number, by the next octet; 0x80: in TLS 1.3. Where it
			may not: goes on */
	TOY_FAILS,   /* for OpenSSL's reason of that number; 0x8000: and says so by an alert */
	TOY_DOES
};

struct rg_tls_context;

/* A context whose supplicants bear leaf, issued by issuer. Once. */
struct rg_tls_context *toy_context(X509 *leaf, X509 *issuer);
/* Numbers of sessions and what is drawn begin anew. */
void toy_begin(void);
/* How many sessions were made: the newest one's number. */
unsigned toy_sessions(void);
/* What every tunnel exports, whatever the label. */
void toy_exports(uint8_t *out, size_t length);
#endif
