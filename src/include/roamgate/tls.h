/* TLS inside EAP, as the methods built on it see it: EAP-TLS now, tunnels later.
 *
 * One struct rg_tls is one conversation of one worker. It fragments (RFC 5216 §2.1.5), shakes
 * hands, judges the supplicant's certificate, and holds back whatever would tell the supplicant
 * that it is in, until the method releases it.
 */
#ifndef ROAMGATE_TLS_H
#define ROAMGATE_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "roamgate/eap.h"
#include "roamgate/span.h"

struct rg_tls;

/* What distinguishes the methods; static. */
struct rg_tls_kind {
	uint8_t type;    /* EAP method type: context of the TLS 1.3 exporters (RFC 9190 §2.3) */
	uint8_t version; /* low three bits of the flags octet */
	bool client_certificate; /* demanded of the supplicant; false: a tunnel, which asks for none */
	const char *label;       /* a session of one method never resumes in another */
	const char *key_label;   /* TLS 1.2's exporter: "client EAP encryption" */
};

enum rg_tls_event {
	RG_TLS_SEND,         /* step->output is filled: a Request */
	RG_TLS_ESTABLISHED,  /* the handshake is over; what it still had to send is held back */
	RG_TLS_ACKNOWLEDGED, /* an empty Response when nothing was left to send or expected */
	RG_TLS_DATA,         /* tunnelled data are there for tls_read */
	RG_TLS_REFUSED,      /* step->reason and detail say why: EAP-Failure */
};

/* NULL: no memory. The context and the kind outlive it. */
struct rg_tls *tls_start(const struct rg_eap_start *, const struct rg_tls_kind *);
void tls_end(struct rg_tls **);

/* The Start packet (RFC 5216 §2.1.1). */
enum rg_tls_event tls_greet(struct rg_tls *, struct rg_eap_step *);

/* One Response. A refusal that the supplicant is told of by an alert is first a SEND whose
 * step->reason is set already, and REFUSED at the next Response (RFC 5216 §2.1.3). What breaks
 * EAP-TLS's own rules is REFUSED at once: method-refused, "broken EAP-TLS: …". */
enum rg_tls_event tls_respond(struct rg_tls *, struct rg_eap_step *);

/* After ESTABLISHED, for a method without tunnel, or a tunnel that is resumed and says nothing in it: derives the keys, prepares the last flight
 * (TLS 1.2: ChangeCipherSpec and Finished of a full handshake; TLS 1.3: a ticket and the protected
 * success indication, RFC 9190 §2.5) without sending it, and frees the TLS state. False: refuse, as
 * step->reason says. */
bool tls_seal(struct rg_tls *, struct rg_eap_step *);

/* Sends what was held back: SEND; ACKNOWLEDGED where there is nothing. */
enum rg_tls_event tls_release(struct rg_tls *, struct rg_eap_step *);

/* After ESTABLISHED, for tunnels that are not resumed (tls_proof says): what was held back is free
 * to go, in TLS 1.3 with a ticket, which is worth nothing before the Accept. False: refuse, as
 * step->reason says. Clear text may have come behind the handshake already: tls_read. */
bool tls_open(struct rg_tls *, struct rg_eap_step *);

/* Of an open tunnel: clear text to and from the supplicant. tls_write queues records that the next
 * tls_send sends; that sends an empty Request where nothing waits: SEND, or REFUSED. tls_read fills
 * the buffer's rest; false: the tunnel is broken, or more has come than there is room for. */
bool tls_write(struct rg_tls *, struct rg_span clear);
enum rg_tls_event tls_send(struct rg_tls *, struct rg_eap_step *);
bool tls_read(struct rg_tls *, struct rg_buffer *clear);

/* MSK and EMSK as TLS alone gives them, for what a method derives from them. Secret. Until tls_close. */
bool tls_material(struct rg_tls *, uint8_t material[128]);
/* Nothing more will be said in the tunnel: the keys are derived (tls_keys), the TLS state is freed.
 * What is queued still goes. False: refuse, as step->reason says. */
bool tls_close(struct rg_tls *, struct rg_eap_step *);
/* Whom the tunnel let in: resuming it will stand for that proof (identity, inner, certificate). */
void tls_signed_in(struct rg_tls *, const struct rg_proof *);

/* Keying material of the session (RFC 5705, RFC 8446 §7.5); an empty context counts as none in
 * TLS 1.2. Until tls_seal. */
bool tls_export(struct rg_tls *, const char *label, struct rg_span context, uint8_t *out,
		size_t length);

/* After ESTABLISHED: who. After REFUSED (or the SEND before it): the certificate refused, or NULL.
 */
const struct rg_proof *tls_proof(struct rg_tls *);

/* After tls_seal: MSK and Session-Id (RFC 5216 §2.3, RFC 9190 §2.3). Once. */
bool tls_keys(struct rg_tls *, struct rg_eap_keys *);

/* The Accept leaves: the session may be resumed from now on. Never called: it never can. */
void tls_remember(struct rg_tls *);

#endif
