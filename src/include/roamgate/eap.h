/* An EAP method: a small state machine that knows neither sockets, nor RADIUS, nor directories.
 *
 * The host speaks EAP with the supplicant (Identity, NAK, Identifier, retransmission) and hands the
 * method the Type-Data of each Response of its type. Once the method has proof of who the supplicant
 * is, it says PROVEN; the host checks realm, revocation, directory and rules, and calls `granted` or
 * ends the conversation. No keys leave, and nothing is remembered, before the Accept.
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
	RG_EAP_SUCCESS, /* keys() is ready: EAP-Success */
	RG_EAP_FAILURE, /* step->reason says why: EAP-Failure */
	RG_EAP_DISCARD, /* the Response is none of ours: silence (RFC 3748 §4.2) */
};

/* One turn. */
struct rg_eap_step {
	struct rg_span input;      /* Type-Data of the Response: what follows its Type octet */
	struct rg_buffer *output;  /* Type-Data of the Request, to be written */
	size_t room;               /* most octets of output that the way to the supplicant carries */
	enum rg_reason reason;     /* with FAILURE; with REQUEST: why it will end, if that is settled */
	const char *detail;        /* what exactly, for trace and log; static, or the method's until its end */
};

#define RG_NAMES_MOST 8

/* Where in a certificate a name stands (identity_from). */
enum rg_name_kind { RG_NAME_SAN_UPN, RG_NAME_SAN_EMAIL, RG_NAME_SUBJECT_CN, RG_NAME_SAN_DNS };

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
	char subject[256];          /* for trace: subject, escaped */
};

struct rg_eap_keys {
	uint8_t msk[64];            /* RFC 5247: MS-MPPE-Recv-Key is the first half, Send-Key the second */
	uint8_t session_id[1 + 256]; /* EAP-Key-Name */
	size_t session_id_length;
};

struct rg_tls_context;

/* What a conversation starts with. Lives as long as the conversation. */
struct rg_eap_start {
	struct rg_tls_context *tls; /* the realm's credentials and trust */
	size_t fragment;            /* most TLS octets in one packet */
	const char *realm;          /* its label: sessions resume within it only; NULL is "" */
};

struct rg_eap_method {
	uint8_t type;      /* IANA's EAP method type */
	const char *label; /* in `methods = [ … ]`, logs and metrics: "tls" */
	unsigned needs;    /* RG_OFFERS_*: what it asks of a directory */
	void *(*start)(const struct rg_eap_start *); /* NULL: no memory */
	enum rg_eap_verdict (*begin)(void *method, struct rg_eap_step *);   /* the first Request */
	enum rg_eap_verdict (*respond)(void *method, struct rg_eap_step *); /* to each Response */
	/* After PROVEN: who. After FAILURE: the certificate that was refused, x509 set, or NULL. */
	const struct rg_proof *(*proof)(void *method);
	enum rg_eap_verdict (*granted)(void *method, struct rg_eap_step *); /* the host agrees */
	bool (*keys)(void *method, struct rg_eap_keys *);                   /* after SUCCESS */
	void (*accepted)(void *method); /* the Accept leaves: what may be remembered, now may be */
	void (*end)(void **method);
};

#endif
