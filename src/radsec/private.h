/* What the files of src/radsec share among themselves. */
#ifndef RG_RADSEC_PRIVATE_H
#define RG_RADSEC_PRIVATE_H
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <uv.h>

#include "core/clock.h"
#include "core/secret.h"
#include "radsec/connection.h"
#include "radsec/names.h"
#include "radsec/port.h"
#include "tls/files.h"

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
	uint8_t key[32];			      /* of settings and file contents */
	struct rg_tls_file *files[RG_RADSEC_SOURCES]; /* NULL: not configured */
	SSL_CTX *tls, *dtls;
	X509_STORE *store;			    /* of both */
	unsigned versions;			    /* RG_RADIUS_1_* */
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

/* Times are of CLOCK_MONOTONIC, each 0 where it does not apply. */
struct rg_connection {
	struct rg_connection_place *place;
	const struct rg_connection_events *events;
	void *owner;
	struct rg_connection *next, **self; /* of the place */
	struct rg_connection *next_dirty, *next_ending;
	bool dirty;
	enum rg_transport transport;
	enum state state;
	bool server;
	bool broken; /* no word of TLS can be said any more */
	struct rg_radsec *radsec;
	SSL *ssl;
	int fd; /* its own, or (DTLS server) the port's */
	bool own_fd;
	uv_poll_t *poll; /* NULL: none */
	struct rg_timer timer;
	uint64_t connect_due;	  /* for one address among several */
	uint64_t handshake_due;	  /* resolving and connecting, then shaking hands */
	uint64_t half_due;	  /* the rest of a packet */
	uint64_t stuck_due;	  /* it has to read */
	uint64_t certificate_due; /* its certificate ends */
	uint64_t dtls_due;	  /* OpenSSL repeats what may be lost */
	uint64_t idle_due;	  /* DTLS server: to look whether anything came since heard_ms */
	uint64_t heard_ms;	  /* as uv_now */
	struct rg_connection_peer peer;
	struct rg_borne *borne; /* NULL: no certificate, or no memory */
	char subject[256], psk_identity[256];
	uint8_t psk_digest[32]; /* of the key that opened it */
	/* TLS: what was read of a packet that is not whole yet. */
	uint8_t *half;
	size_t half_length;
	unsigned reads_left; /* of this turn of the loop; 0: nothing more is to be read */
	/* What waits to be written. */
	uint8_t *out;
	size_t out_length, out_capacity;
	bool writing; /* it waits for the socket to take more */
	/* DTLS: the datagram that is being read. */
	struct rg_span input;
	struct rg_local local; /* of a port's: the address of ours that it came to */
	/* Of who dials. */
	struct dialing *dialing;
	struct rg_secret *psk; /* until the handshake is over */
	bool keyed;	       /* it must be by TLS-PSK */
	/* Of a port's. */
	struct rg_radsec_port *port;
	struct rg_connection *next_in_bucket;
	struct rg_connection *next_half_open, **self_half_open; /* self NULL: not half open */
	bool counted;						/* among the port's */
	/* How it ends. */
	enum rg_connection_end end;
	char detail[160];
};

/* connection.c */
struct rg_connection *connection_new(struct rg_connection_place *, struct rg_radsec *,
				     enum rg_transport);
void connection_begin(struct rg_connection *); /* its time for what comes next begins */
void connection_arm(struct rg_connection *);   /* after one of its times was set */
void connection_mark(struct rg_connection *);  /* it has something to write */
/* It ends for what OpenSSL complains of. */
void connection_fail_tls(struct rg_connection *);
/* Goes on with the handshake. */
void connection_shake(struct rg_connection *);

/* trust.c: whether its certificate, or its key, is still good under the credential that counts. False: detail (160 octets)
 * says why not. */
bool trust_holds(struct rg_connection *, char *detail);
void trust_note_key(struct rg_connection *, const struct rg_secret *);

/* stream.c */
/* OpenSSL reads and writes the connection's socket. False: no memory. */
bool stream_prepare(struct rg_connection *);
void stream_options(int fd); /* no delay, and a peer that vanished is found out within two minutes */
void stream_poll(struct rg_connection *); /* the socket is looked at for what is wanted now */
void stream_turn(struct rg_connection *); /* it may read anew */
void stream_read(struct rg_connection *); /* what there is */
void stream_write(struct rg_connection *); /* what waits; if it cannot be, the connection ends */
/* What waits, as far as the socket takes it at once, and the word of parting. */
void stream_part(struct rg_connection *);

/* datagram.c: a DTLS connection, each of whose records leaves as a datagram. False: no memory. */
bool datagram_prepare(struct rg_connection *);
void datagram_feed(struct rg_connection *, struct rg_span);
void datagram_receive(struct rg_connection *); /* from a socket of its own */

/* psk.c: TLS-PSK (RFC 9813). */
bool psk_offer(struct rg_connection *); /* false: no memory */
void psk_serve(struct rg_connection *);
/* Whether the handshake was by the key, and not by certificates. */
bool psk_was_used(const SSL *);

/* dial.c */
void dialing_free(struct rg_connection *);
void dialing_go_on(struct rg_connection *); /* the socket is connected, or will not be */
/* The address is no good. False: there is no other. */
bool dialing_next(struct rg_connection *);

/* port.c: ALPN and the cookies of DTLS. */
void port_set_up_context(SSL_CTX *);
/* Its handshake is over; the credential that counts by now is taken. */
void port_opened(struct rg_connection *);
/* The key of who comes by a port; NULL: nobody's. */
const struct rg_secret *port_psk(const struct rg_connection *, const char *identity);
/* It is not the port's any more. */
void port_forget(struct rg_connection *);

/* hello.c: what comes to a port of DTLS. */
void hello_take_datagram(void *port, const struct rg_datagram *);

/* What hello.c needs of port.c. */
#define RG_PORT_BUCKETS 1024u

struct rg_radsec_port {
	struct rg_connection_place *place;
	enum rg_transport transport;
	int fd;
	bool closed; /* libuv has still to let go of it */
	uv_poll_t poll;
	struct rg_radsec *radsec;
	const struct rg_radsec_port_events *events;
	void *owner;
	unsigned half_open, connections;
	struct rg_connection *oldest_half_open, **youngest_half_open;
	struct rg_connection *buckets[RG_PORT_BUCKETS]; /* by source address */
	struct rg_timer rest;
	struct rg_connection *stranger; /* DTLS: what waits for a hello with a good cookie */
};

/* One that comes from there, and is not the port's yet. NULL: no memory. */
struct rg_connection *port_new_connection(struct rg_radsec_port *, const union rg_address *source);
void port_enter(struct rg_radsec_port *, struct rg_connection *);
struct rg_connection **port_bucket(struct rg_radsec_port *, const union rg_address *source);
bool port_has_room(struct rg_radsec_port *);
#endif
