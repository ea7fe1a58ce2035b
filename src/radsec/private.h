/* What the files of src/radsec share among themselves. */
#ifndef RG_RADSEC_PRIVATE_H
#define RG_RADSEC_PRIVATE_H
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <uv.h>

#include "eap/tls_files.h"
#include "radsec/connection.h"
#include "radsec/port.h"

enum rg_radsec_source {
	RG_RADSEC_CERTIFICATE,
	RG_RADSEC_KEY,
	RG_RADSEC_CA,
	RG_RADSEC_CRL,
	RG_RADSEC_SOURCES
};

struct rg_radsec {
	atomic_uint references;
	struct rg_radsec *next;
	uint8_t key[32]; /* of settings and file contents */
	struct rg_tls_file *files[RG_RADSEC_SOURCES]; /* NULL: not configured */
	SSL_CTX *tls, *dtls;
	X509_STORE *store; /* of both */
	unsigned versions; /* RG_RADIUS_1_* */
	time_t certificate_ends, ca_ends, crl_ends; /* 0: none */
};

#define RG_CONNECTION_PACKET_MOST 4096

enum state {
	RESOLVING,
	CONNECTING,
	SHAKING_HANDS,
	OPEN,
	ENDING, /* ended is about to be called */
};

struct rg_connection {
	struct rg_connection_place *place;
	const struct rg_connection_events *events;
	void *owner;
	struct rg_connection *next, **self;  /* of the place */
	struct rg_connection *next_dirty;
	bool dirty;
	enum rg_transport transport;
	enum state state;
	bool server;
	struct rg_radsec *radsec;
	SSL *ssl;
	int fd;         /* its own, or (DTLS server) the port's */
	bool own_fd;
	uv_poll_t *poll; /* NULL: none */
	struct rg_timer timer;
	/* When to look again, each 0 where it does not apply. */
	uint64_t handshake_due, half_due, stuck_due, certificate_due, dtls_due;
	struct rg_connection_peer peer;
	char subject[256], psk_identity[256];
	/* TLS: what was read of a packet that is not whole yet. */
	uint8_t *half;
	size_t half_length;
	/* What waits to be written. */
	uint8_t *out;
	size_t out_length, out_capacity;
	bool writing; /* it waits for the socket to take more */
	/* Of who dials. */
	struct dialing *dialing;
	const struct rg_secret *psk;
	/* Of a port's. */
	struct rg_radsec_port *port;
	struct rg_connection *next_in_bucket;
	bool counted, half_open; /* among the port's */
	struct rg_local local;	 /* DTLS: the address of ours that it came to */
	/* How it ends. */
	enum rg_connection_end end;
	char detail[160];
};

/* connection.c */
struct rg_connection *connection_new(struct rg_connection_place *, struct rg_radsec *,
				     enum rg_transport);
void connection_begin(struct rg_connection *); /* its time for a handshake begins */
void connection_arm(struct rg_connection *);
void connection_mark(struct rg_connection *); /* it has something to flush */
void connection_fail(struct rg_connection *, enum rg_connection_end, const char *detail);
/* The last error of OpenSSL in words, as the connection's end. */
void connection_fail_tls(struct rg_connection *);
/* Goes on with the handshake. */
void connection_shake(struct rg_connection *);
/* stream.c: reads what there is; writes what waits. */
void connection_read(struct rg_connection *);
void connection_write(struct rg_connection *);
void connection_poll(struct rg_connection *);

/* psk.c: TLS-PSK (RFC 9813). */
bool psk_offer(struct rg_connection *);
void psk_serve(struct rg_connection *);
/* Whether the handshake was by the key, and not by certificates. */
bool psk_was_used(const SSL *);

/* datagram.c: a DTLS connection over memory, whose records leave as datagrams. False: no memory. */
bool datagram_prepare(SSL *, struct rg_connection *);
void datagram_feed(struct rg_connection *, struct rg_span);
void datagram_receive(struct rg_connection *); /* of a socket of its own */
void datagram_refill(SSL *, struct rg_span); /* that datagram is what it reads next */

/* dial.c */
void dialing_free(struct rg_connection *);
void dialing_go_on(struct rg_connection *);

/* port.c: ALPN and the cookies of DTLS. */
void port_set_up_context(SSL_CTX *, struct rg_radsec *);
/* Its handshake is over. */
void port_opened(struct rg_connection *);
/* The key of who comes by a port; NULL: nobody's. */
const struct rg_secret *port_psk(struct rg_connection *, const char *identity);
/* It is not the port's any more. */
void port_forget(struct rg_connection *);
#endif
