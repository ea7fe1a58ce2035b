/* One worker on a loop of the test's, with a raddb of its own: a realm here whose EAP method and directory do what
 * the test says, a federation peer on loopback, and town halls that ask. */
#ifndef TESTS_REQUEST_GATE_H
#define TESTS_REQUEST_GATE_H
#include <stdbool.h>
#include <stdint.h>

#include "radius/writer.h"
#include "request/worker.h"
#include "roamgate/directory.h"

struct gate {
	struct rg_worker worker;
	uv_loop_t main_loop;
	struct rg_mailbox home;
	uint16_t auth_port, acct_port;
	uint64_t serial; /* of the last sign-in that was looked at */
};

/* Whoever sends RADIUS to the gate, or (the peer) is sent it. */
struct nas {
	int fd;
	struct rg_radius_key *key;
	uint8_t id;
	uint16_t to; /* the gate's port */
	struct rg_writer writer;
	uint8_t request[RG_RADIUS_MOST], answer_bytes[RG_RADIUS_MOST];
	size_t length, answer_length;
	uint8_t authenticator[RG_AUTHENTICATOR];
	struct rg_packet answer;
	uint8_t state[64];
	size_t state_length; /* of the last Challenge */
	union rg_address from; /* of what a peer received */
};

/* The directory: answers at once, or keeps the question for the test to answer. */
struct fake_directory {
	enum rg_outcome outcome;
	bool hold, full;
	unsigned asked;
	struct rg_question *held;
	char identity[256], password[64];
	enum rg_question_kind kind;
	const char *canonical; /* what it answers; NULL: nothing */
};
extern struct fake_directory fake_directory;
void directory_answer_held(enum rg_outcome);

/* methods and authorize as written in the realm; reject_delay_ms. */
void gate_open(struct gate *, unsigned reject_delay_ms);
void gate_close(struct gate *);
void gate_reload(struct gate *); /* the same raddb, read anew */
/* Runs the worker's loop until fd has something to read. */
void gate_run_until(struct gate *, int fd);
/* Until that counter has grown to value. */
void gate_run_until_counted(struct gate *, enum rg_counter, uint64_t value);
/* The next sign-in that ends: its reason. */
void gate_expect(struct gate *, const char *result, const char *reason);

void nas_open(struct nas *, const char *host, uint16_t to, const char *secret);
void nas_close(struct nas *);
/* Begins a request with the next Identifier and a new authenticator. */
void nas_begin(struct nas *, uint8_t code);
void nas_add(struct nas *, uint8_t type, const char *value);
void nas_send(struct nas *); /* signs and sends */
void nas_say(struct nas *);  /* sends it again as it is */
/* EAP-Response of that type: User-Name jan@beuningen.nl, the last State. */
void nas_eap(struct nas *, uint8_t id, uint8_t type, const char *data);
/* Waits for an answer and checks that it is genuine, signed first, and of that code. */
void nas_hear(struct nas *, struct gate *, uint8_t code);
/* What was said was taken in (by that counter) and nothing came of it. */
void nas_deaf(struct nas *, struct gate *, enum rg_counter, uint64_t before);

/* The federation's side: receives what the gate sends on, and answers it. */
void peer_receive(struct nas *peer, struct gate *);
void peer_answer(struct nas *peer, uint8_t code);
extern uint16_t gate_peer_port;

uint64_t counted(enum rg_counter);
#endif
