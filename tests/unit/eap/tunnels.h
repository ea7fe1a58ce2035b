/* TTLS and PEAP driven message by message, by a laptop that says in the tunnel whatever a test wants. */
#ifndef TESTS_EAP_TUNNELS_H
#define TESTS_EAP_TUNNELS_H
#include "eap/frame.h"
#include "laptop.h"
#include "roamgate/mschapv2.h"
#include "supplicant/profile.h"
#include "supplicant/tls_peer.h"

#define PASSWORD "geheim"

struct scene {
	const struct rg_eap_method *kind;
	void *method;
	enum rg_eap_verdict verdict; /* of the last turn */
	struct rg_eap_step step;
	struct rg_tls_peer laptop;
	uint8_t request[4096], heard[4096]; /* Type-Data; clear text that came with it */
	struct rg_buffer output, clear;
	unsigned asked;         /* so often the host was asked about a claim */
	bool granted;           /* the host has said yes, and since then not no */
	enum rg_reason refuses; /* NONE: the host says yes to the right password */
	unsigned rounds;
	char identity[256]; /* whom it was asked about last */
	struct rg_claim claim;
	uint8_t password[64];
};

extern struct town town;
extern struct rg_eap_inner inner; /* all of it; a test may change it */
extern struct rg_supplicant_profile *profile;

int scenes_set_up(void **state);
int scenes_tear_down(void **state);
/* Until the tunnel is open: the supplicant is to say something. label: "ttls", "peap". */
void scene_open(struct scene *, const char *label, const char *version);
void scene_close(struct scene *);
/* The laptop comes back: the parts of the two above that do not begin or end the laptop itself. */
void scene_begin(struct scene *, const char *label, const char *version);
void scene_leave(struct scene *);
/* The server alone: its first Request is scene->output. */
void scene_begin_server(struct scene *, const char *label);
/* Its turn, with the host's part in it. */
void scene_serve(struct scene *, struct rg_span response);
/* Goes on until it ends, or until a full handshake is over. Whether the session was resumed. */
bool scene_resumes(struct scene *);
/* Says it in the tunnel and hears the answer (scene->clear); decisions are made as scene->refuses says. */
enum rg_eap_verdict scene_say(struct scene *, struct rg_span clear);
enum rg_eap_verdict scene_say_text(struct scene *, const void *octets, size_t length);
/* An empty Response. */
enum rg_eap_verdict scene_acknowledge(struct scene *);
/* The same, whatever came before, as PEAP has it: a Response's type and data. */
enum rg_eap_verdict scene_answer(struct scene *, uint8_t type, struct rg_span data);
/* A sign-in of PEAP/MSCHAPv2 as far as the server's Result, or of TTLS/EAP-MSCHAPv2 to its end. */
void mschapv2_respond(const struct scene *, const char *password, const char *name,
		      struct rg_buffer *data, uint8_t id_more);
/* Never a SUCCESS without the host's yes: asserted at each turn, and at the end. */
void scene_never_accepted(const struct scene *);
#endif
