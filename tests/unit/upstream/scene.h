/* A worker's upstream side on a loop of the test's, and peers on loopback that say what the test wants. */
#ifndef TESTS_UPSTREAM_SCENE_H
#define TESTS_UPSTREAM_SCENE_H
#include <stdbool.h>
#include <stdint.h>

#include "radius/writer.h"
#include "upstream/peer.h"
#include "upstream/upstream.h"

#define SCENE_PEERS 2

/* A peer's socket, and the request that it received last. */
struct scripted {
	int fd; /* -1: its port is closed */
	uint16_t port;
	struct rg_radius_key *key;
	uint8_t bytes[RG_RADIUS_MOST];
	size_t length;
	struct rg_packet packet;
	union rg_address from;
	const char *state; /* that its Challenges bear; NULL: none */
};

struct scene {
	uv_loop_t loop;
	uv_timer_t alarm;
	struct rg_wheel wheel;
	struct rg_slab slab;
	struct rg_entropy entropy;
	struct rg_upstream upstream;
	struct scripted peers[SCENE_PEERS];
	struct rg_raddb raddb;
	struct rg_peer_settings settings[SCENE_PEERS];
	struct rg_peer_settings *order[SCENE_PEERS];
	struct rg_route route;
	rg_learned learned_cells[SCENE_PEERS];
	rg_learned *learned[SCENE_PEERS];
	/* The client's side. */
	const char *realm, *state; /* of the next request; state NULL: it begins a conversation */
	struct rg_radius_key *client_key;
	uint8_t request_bytes[RG_RADIUS_MOST];
	struct rg_packet request;
	/* What the upstream side told. */
	unsigned answered, moved, lost, lessons;
	uint8_t code; /* of the last answer */
	uint8_t cannot_give_on; /* answers of that code; 0: none */
	enum rg_lost how;
	struct rg_forward *forward; /* of the last request sent with scene_send, as it moves */
};

void scene_begin(struct scene *, unsigned peers);
void scene_end(struct scene *);
/* Configures (anew) what stands in settings. */
void scene_configure(struct scene *);
/* A request of the client's goes out, now on the real clock; asserts that a peer took it. */
void scene_send(struct scene *);
/* The same at another time; NULL: nobody took it. */
struct rg_forward *scene_try(struct scene *, uint64_t now);
void scene_flush(struct scene *);
/* Turns of the loop until *seen reaches most, with all that waits to leave sent. */
void scene_await(struct scene *, const unsigned *seen, unsigned most);
/* The peer's next request; asserts that it is genuine. */
void scripted_receive(struct scripted *);
bool scripted_silent(struct scripted *); /* nothing has come */
void scripted_say(struct scripted *, struct rg_span bytes);
/* A genuine answer to what it received last. */
void scripted_answer(struct scripted *, uint8_t code);
/* The same, to be spoiled: bytes in out, without being sent. signed: with Message-Authenticator. */
struct rg_span scripted_compose(struct scripted *, uint8_t code, bool is_signed, uint8_t *out);
/* Puts a right Response Authenticator on it, whatever the rest of it is. */
void scripted_vouch(const struct scripted *, uint8_t *out, size_t length);
void scripted_close(struct scripted *);
void scripted_open(struct scripted *); /* on its port again, or on a free one */
#endif
