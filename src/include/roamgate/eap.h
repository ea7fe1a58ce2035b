/* An EAP method: a small state machine that knows neither sockets, nor RADIUS, nor directories.
 *
 * The host speaks EAP with the supplicant (Identity, NAK, Identifier, retransmission) and hands the
 * method the Type-Data of each Response of its type. Once the method has proof of who the supplicant
 * is, it says PROVEN; the host checks realm, revocation, directory and rules, and calls `granted` or
 * ends the conversation. A method that cannot judge a password by itself says ASK instead: the host
 * has the directory verify it in the same question, applies the rules, and calls `answered` either
 * way. No keys leave, and nothing is remembered, before the Accept.
 *
 * Inside a tunnel (TTLS, PEAP) the same methods run the same way, with the tunnel as their host.
 */
#ifndef ROAMGATE_EAP_H
#define ROAMGATE_EAP_H

#include <stdbool.h>
#include <stdint.h>

#include "roamgate/reason.h"
#include "roamgate/span.h"

enum rg_eap_verdict {
	RG_EAP_REQUEST, /* output holds the Type-Data of the next Request */
	RG_EAP_PROVEN,  /* proof() says who; nothing to send yet */
	RG_EAP_ASK,     /* proof() says who it claims to be, claim() by what; nothing to send yet */
	RG_EAP_SUCCESS, /* keys() is ready: EAP-Success */
	RG_EAP_FAILURE, /* step->reason says why: EAP-Failure */
	RG_EAP_DISCARD, /* the Response is none of ours: silence (RFC 3748 §4.2) */
};

/* What became of an ASK. */
struct rg_answer {
	bool granted;           /* the secret was right, and the rules let this one in */
	enum rg_reason reason;  /* else why not */
	const char *detail;     /* of that; lives as the method does; or NULL */
	bool again;             /* another secret may be tried */
	uint8_t hash_hash[16];  /* granted RG_CLAIM_MSCHAPV2: as of struct rg_question; wiped by the host */
};

/* One turn. */
struct rg_eap_step {
	struct rg_span input;      /* Type-Data of the Response: what follows its Type octet */
	const struct rg_answer *answer; /* in `answered` */
	struct rg_buffer *output;  /* Type-Data of the Request, to be written */
	size_t room;               /* most octets of output that the way to the supplicant carries */
	enum rg_reason reason;     /* with FAILURE; with REQUEST: why it will end, if that is settled */
	const char *detail;        /* what exactly, for trace and log; static, or the method's until its end */
};

#define RG_NAMES_MOST 8

/* Where a name stands: in a certificate (identity_from), or typed by the supplicant in a tunnel. */
enum rg_name_kind {
	RG_NAME_SAN_UPN,
	RG_NAME_SAN_EMAIL,
	RG_NAME_SUBJECT_CN,
	RG_NAME_SAN_DNS,
	RG_NAME_INNER,
};

/* What the supplicant proved. Borrowed from the method until its end. */
struct rg_proof {
	const char *identity;       /* the name that counts; NULL: the certificate bears none */
	enum rg_name_kind kind;     /* where it stood; SAN_DNS is a machine: identity is "host/NAME" */
	struct rg_span certificate; /* DER of the leaf */
	const void *x509;           /* the same as X509 *, decoded */
	const void *chain;          /* STACK_OF(X509) *, leaf first: verified; as sent after FAILURE; NULL
				       when resumed */
	const void *issuer;         /* X509 * that signed the leaf, also when resumed; NULL: none known */
	bool resumed;
	const char *tls_version;    /* "1.2", "1.3" */
	const char *inner;          /* of a tunnel: the label of the method inside; else NULL */
	char subject[256];          /* for trace: subject, escaped */
};

/* By what somebody without a certificate wants to be known. Borrowed until the answer. */
enum rg_claim_kind { RG_CLAIM_PASSWORD, RG_CLAIM_MSCHAPV2 };
struct rg_claim {
	enum rg_claim_kind kind;
	struct rg_span password; /* RG_CLAIM_PASSWORD; secret */
	/* RG_CLAIM_MSCHAPV2, as of struct rg_question. */
	uint8_t challenge[8], nt_response[24];
	const char *mschap_name;
};

struct rg_eap_keys {
	uint8_t msk[64];            /* RFC 5247: MS-MPPE-Recv-Key is the first half, Send-Key the second */
	uint8_t session_id[1 + 256]; /* EAP-Key-Name */
	size_t session_id_length;
};

struct rg_tls_context;
struct rg_eap_method;

/* With what a realm lets its people sign in inside a tunnel (inner_methods). */
struct rg_eap_inner {
	const struct rg_eap_method *const *methods; /* in the order offered; NULL-terminated */
	bool pap, mschapv2;    /* without EAP, inside TTLS */
	bool binding_required; /* PEAP: a supplicant that offers no cryptobinding is refused */
};

/* What a conversation starts with. Lives as long as the conversation. */
struct rg_eap_start {
	struct rg_tls_context *tls; /* the realm's credentials and trust */
	size_t fragment;            /* most TLS octets in one packet */
	const char *realm;          /* its label: sessions resume within it only; NULL is "" */
	const struct rg_eap_inner *inner; /* for tunnels */
	/* Inside a tunnel: its label, and the EAP-Identity that came there. Else NULL. */
	const char *within, *identity;
};

struct rg_eap_method {
	uint8_t type;      /* IANA's EAP method type */
	const char *label; /* in `methods = [ … ]`, logs and metrics: "tls" */
	unsigned needs;    /* RG_OFFERS_*: what it asks of a directory */
	bool tunnel;       /* others run inside it */
	bool inner_only;   /* never offered outside a tunnel: nothing else would protect it */
	void *(*start)(const struct rg_eap_start *); /* NULL: no memory */
	enum rg_eap_verdict (*begin)(void *method, struct rg_eap_step *);   /* the first Request */
	enum rg_eap_verdict (*respond)(void *method, struct rg_eap_step *); /* to each Response */
	/* After PROVEN: who. After FAILURE: the certificate that was refused, x509 set, or NULL. */
	const struct rg_proof *(*proof)(void *method);
	const struct rg_claim *(*claim)(void *method); /* after ASK; NULL: it never asks */
	enum rg_eap_verdict (*granted)(void *method, struct rg_eap_step *); /* the host agrees */
	enum rg_eap_verdict (*answered)(void *method, struct rg_eap_step *); /* step->answer */
	/* After SUCCESS. False: it makes none. Inside a tunnel fewer octets of MSK may be set; the rest is 0. */
	bool (*keys)(void *method, struct rg_eap_keys *);
	void (*accepted)(void *method); /* the Accept leaves: what may be remembered, now may be */
	void (*end)(void **method);
};

#endif
