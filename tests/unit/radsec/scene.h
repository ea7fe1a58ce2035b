/* A loop with a RadSec port and whoever calls it, by real sockets on loopback: both ends are ours, or one of them is
 * OpenSSL alone and does what a test wants of it. Time goes on only as a test says. */
#ifndef TESTS_RADSEC_SCENE_H
#define TESTS_RADSEC_SCENE_H
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../eap/pki.h"
#include "core/clock.h"
#include "radsec/connection.h"
#include "radsec/port.h"

/* What an owner was told of a connection, and what it does then. */
struct end {
	struct scene *scene;
	struct rg_connection *connection; /* NULL: it has ended */
	unsigned established, packets, ended;
	size_t octets; /* of all packets */
	uint8_t last[4096];
	size_t last_length;
	enum rg_connection_end how;
	char detail[160];
	/* As it was when established. */
	struct rg_connection_peer peer;
	char identity[256], subject[256];
	/* What to do. */
	const struct rg_strings *names; /* refused without one of these; NULL: anybody */
	bool refuse_packets;
	bool end_when_established, end_when_packet;
	struct rg_radsec_port **close_when_packet;
	bool echo;
};

struct scene {
	uv_loop_t loop;
	struct rg_wheel wheel;
	uint64_t ahead_ns; /* of the clock */
	struct rg_connection_place place;
	enum rg_transport transport;
	char *directory;
	struct pki ca, other_ca;
	struct rg_credential ours, theirs; /* of the port, and of who calls */
	struct rg_radsec *at_port, *at_caller;
	struct rg_radsec_port *port;
	struct sockaddr_in address; /* of the port */
	unsigned arrived, knocks;
	bool nobody_home; /* knocks are refused */
	const char *identity;
	const struct rg_secret *key;
	struct end inside[8]; /* of those that arrived, by number */
	struct end outside;   /* of who calls */
	struct rg_dial dial;
};

/* A CA, and a certificate at both ends that bears gate.example and caller.example; nothing is opened yet. */
void scene_begin(struct scene *, enum rg_transport);
void scene_end(struct scene *);
/* A certificate and key at one end, of the scene's CA unless want says otherwise. */
void scene_certificate(struct scene *, struct rg_credential *, const struct pki_want *);
/* A CRL file for the port over these certificates (NULL: none), good for to_s. */
void scene_crl(struct scene *, X509 *revoked, long to_s);
X509 *scene_leaf(const struct rg_credential *); /* its certificate, to be freed */
void scene_open(struct scene *);  /* the port */
void scene_dial(struct scene *);  /* scene->outside calls it */
void scene_renew(struct scene *); /* the port takes its credential anew */

/* The loop turns until nothing happens any more. */
void scene_settle(struct scene *);
/* … until it is so, or 20 s have passed; returns whether it is. */
#define scene_until(scene, condition)                                                              \
	({                                                                                         \
		uint64_t until_ns = clock_now() + 20 * RG_SECOND;                                  \
		bool is_so;                                                                        \
		while (!(is_so = (condition)) && clock_now() < until_ns)                           \
			scene_turn(scene);                                                         \
		is_so;                                                                             \
	})
void scene_turn(struct scene *);
/* Timers see that much later. */
void scene_pass(struct scene *, uint64_t ns);
/* Established at both ends. */
void scene_meet(struct scene *);

/* out: room for length octets. */
struct rg_span scene_packet(uint8_t *out, uint8_t identifier, size_t length);
bool end_says(struct end *, uint8_t identifier, size_t length);

/* OpenSSL alone as the caller: a socket to the port, and TLS over it when asked for. */
struct stranger {
	int fd;
	SSL_CTX *context;
	SSL *ssl;
};
struct stranger stranger_call(struct scene *);
/* With the caller's certificate; NULL: none. The handshake is done where that succeeds. */
bool stranger_shake(struct scene *, struct stranger *, const struct rg_credential *);
void stranger_set(struct stranger *, const struct rg_credential *); /* prepares ssl */
bool stranger_turn(struct scene *, struct stranger *);		    /* one step of the handshake; true: done */
void stranger_leave(struct stranger *);
#endif
