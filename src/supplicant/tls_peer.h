/* TLS inside EAP as the supplicant plays it: handshake, fragments, trust in the server, the session
 * to resume. Shared by EAP-TLS and the methods with a tunnel. */
#ifndef RG_SUPPLICANT_TLS_PEER_H
#define RG_SUPPLICANT_TLS_PEER_H
#include <openssl/ssl.h>
#include <stdbool.h>

#include "supplicant/method.h"
#include "supplicant/server_certificate.h"
#include "supplicant/tls_frame.h"

struct rg_tls_peer {
	struct rg_supplicant_profile *profile;
	SSL *ssl;
	BIO *in, *out; /* ssl's */
	size_t room;
	struct rg_tls_frame frame;
	struct rg_server_trust trust;
	struct rg_server_certificate described;
	const char *broken;             /* how the server broke the protocol */
	int alert_received, alert_sent; /* -1: none */
	bool failed;                    /* TLS ended badly: wait for the server's EAP-Failure */
	bool finished;                  /* the handshake is over and all of it is sent */
	char why[192];
};

/* False: no memory. It may not move afterwards. */
bool tls_peer_open(struct rg_tls_peer *, struct rg_supplicant_profile *, size_t room);
void tls_peer_close(struct rg_tls_peer *);
/* Notes how; false, for the caller to return. */
bool tls_peer_broken(struct rg_tls_peer *, const char *how);

/* One Request. whole: a message is complete, and TLS may read it; else only fragments pass. False:
 * broken. */
bool tls_peer_take(struct rg_tls_peer *, struct rg_span request, bool *whole);
/* True: the handshake is over. */
bool tls_peer_shake(struct rg_tls_peer *);
/* What there is of clear text, behind what clear holds already. False: more than it has room for.
 */
bool tls_peer_read(struct rg_tls_peer *, struct rg_buffer *clear);
bool tls_peer_write(struct rg_tls_peer *, struct rg_span clear);
/* The Response: what TLS has to send, or an acknowledgement. */
void tls_peer_give(struct rg_tls_peer *, struct rg_buffer *response);

bool tls_peer_is_1_3(const struct rg_tls_peer *);
/* MSK and EMSK of an EAP type (RFC 5216 §2.3, RFC 9190 §2.3, RFC 9427 §2.1); label: TLS 1.2's.
 * Secret. */
bool tls_peer_material(struct rg_tls_peer *, uint8_t type, const char *label,
		       uint8_t material[128]);
void tls_peer_accepted(struct rg_tls_peer *);
void tls_peer_report(struct rg_tls_peer *, struct rg_supplicant_report *);
#endif
