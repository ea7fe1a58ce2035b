/* What a supplicant says inside a tunnel: its name and password, or its certificate, in the forms
 * that servers ask for. */
#ifndef RG_SUPPLICANT_INNER_H
#define RG_SUPPLICANT_INNER_H
#include "roamgate/mschapv2.h"
#include "supplicant/profile.h"

/* MSCHAPv2 as the peer, whichever carries it. */
struct rg_inner_mschapv2 {
	struct rg_mschapv2 core;
	char expected[RG_MSCHAPV2_AUTHENTICATOR + 1]; /* what the server has to say */
	uint8_t keys[32];
};

/* Whether text, "S=… M=…", proves that the server's side knows the password. */
bool inner_mschapv2_proven(const struct rg_inner_mschapv2 *, struct rg_span text);

/* The inner EAP conversation (RFC 3748), whole packets. */
enum rg_inner_state { RG_INNER_UNDER_WAY, RG_INNER_AGREED, RG_INNER_REFUSED };
struct rg_inner {
	struct rg_supplicant_profile *profile;
	const char *identity;
	enum rg_inner_state state;
	uint8_t type;      /* the method's; 0: none yet */
	const char *label; /* of the method; NULL: none yet */
	struct rg_inner_mschapv2 mschapv2;
	void *tls;             /* peer_method_tls's; NULL: not begun */
	enum rg_reason reason; /* of a refusal, as far as the server told */
	char why[192];
};

/* Borrows both. */
void inner_begin(struct rg_inner *, struct rg_supplicant_profile *, const char *identity);
void inner_end(struct rg_inner *);
/* One Request; out: the Response. False: the server broke the protocol, and why says how. */
bool inner_take(struct rg_inner *, struct rg_span request, struct rg_buffer *out);
/* The 49 octets of a Response to mschapv2.core.challenge. False: the password is none that MSCHAPv2
 * takes, or no memory. */
bool inner_mschapv2_answer(struct rg_inner *, uint8_t response[RG_MSCHAPV2_RESPONSE]);
/* What PEAP's cryptobinding has of the inner method's keys ([MS-PEAP] §3.1.5.5.2.2); zeros where it
 * makes none. */
void inner_binding_key(struct rg_inner *, uint8_t isk[32]);
/* What a server's "E=691 …" says: sets reason and why, and REFUSED. */
void inner_refused(struct rg_inner *, struct rg_span text);
#endif
