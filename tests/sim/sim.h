/* One simulated region: a gateway whose workers are the real ones, on a clock, sockets, loops and a
 * directory that are not. README.md says how it works. All of it runs in one thread; all that
 * happens follows from one number. */
#ifndef SIM_H
#define SIM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chance.h"
#include "core/clock.h"
#include "observe/signin.h"
#include "request/worker.h"

#define WORKERS_MOST 3
#define PEERS_MOST   3
#define NASES_MOST   5
#define PROXY        3 /* a client that gives back what it gets */
#define FEDERATION   4 /* peer 0, asking for our own people */
#define AUTH_PORT    1812
#define ACCT_PORT    1813
#define SIGNINS_MOST 700
#define GATEWAY      0x0a000001u /* 10.0.0.1 and 10.0.0.2 are the gateway's */
#define NAS_NET      0x0a010000u /* 10.1.N.1 is NAS N */
#define PEER_NET     0x0a020000u /* 10.2.N.1 is peer N */

/* What the seed decides before anything happens (plan.c). */
struct plan {
	bool calm; /* nothing goes wrong by itself: whoever may come in comes in */
	unsigned workers, sessions, nases, signins, peers;
	unsigned loss, repeat, corrupt; /* of a thousand datagrams */
	unsigned delay_ms, jitter_ms;
	unsigned reject_delay_ms, session_s;
	bool balance, status_server;
	unsigned dead_peer; /* 0: none; its number and one */
	bool crowd;         /* hundreds of visitors at once, and silent peers */
	bool half_open;     /* hundreds of conversations that nobody goes on with */
	bool drain;         /* before it stops it begins nothing new */
	bool few_ids;       /* NASes use their Identifiers again too early */
	unsigned flaps;     /* how often a peer goes away, or comes back */
	unsigned shortage;  /* of a thousand times that a worker asks for memory, there is none */
	bool tls;           /* a realm with real EAP-TLS */
	bool reload;        /* a configuration is published meanwhile */
	bool cut;           /* the gateway stops in the middle */
	unsigned sick;      /* directory: of a thousand questions, not answered as they should be */
	unsigned stalls;    /* how often a worker does nothing for a while */
	unsigned moods;     /* of a thousand: a peer's answer is not what it should be */
	unsigned span_s;    /* in which sign-ins begin */
};

struct world {
	uint64_t seed;
	bool verbose;
	uint64_t now;  /* CLOCK_MONOTONIC, ns */
	uint64_t hash; /* of all that was seen to happen */
	uint64_t steps;
	struct plan plan;
	struct chance net, entropy, nas, peer, directory, loop, town, memory;
	bool within;                         /* a worker's turn */
	uint64_t lessened_ns;                /* when the configuration lost something last */
	unsigned accepts, rejects, silences; /* how sign-ins ended, as laptops saw it */
};
extern struct world world;

/* Something that must never be: says the seed and ends the process. */
void broken(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* A line of the story, with the time; only where somebody listens. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What happened, for the hash that two runs of a seed must agree on. */
void trace(const char *what, uint64_t number, const void *octets, size_t length);
#define must(fact) ((fact) ? (void)0 : broken("%s:%d: %s", __FILE__, __LINE__, #fact))

/* plan.c */
void plan_draw(struct plan *, uint64_t seed);

/* clock.c: time and randomness. */
void clock_install(void);             /* once a process */
#define SIM_EPOCH INT64_C(1780000000) /* wall clock at now 0 */

/* memory.c */
void *own(size_t size);                 /* zeroed, never NULL, for the simulation itself; free() */
extern size_t slab_pieces, slab_octets; /* that all workers' slabs have given out */

/* event.c: what happens later. */
void event_at(uint64_t at, void (*run)(void *context), void *context);
bool event_next(uint64_t *at); /* false: nothing */
void event_run(void);          /* the next one */
void events_forget(void);

/* loop.c: libuv's place. */
bool loops_turn(void);         /* one turn of one loop that has something to do; false: none has */
bool loops_next(uint64_t *at); /* when one has */
void loops_stall(const uv_loop_t *, uint64_t until);
void loop_awake(const uv_loop_t *);
void loops_check_closed(void);

/* net.c: datagrams. */
struct spot {
	uint32_t ip; /* host byte order */
	uint16_t port;
};
struct flight {
	struct spot from, to;
	bool spoilt;  /* not as it was sent */
	void *origin; /* the exchange that it is of, on its way to the gateway; or NULL */
	size_t length;
	uint8_t bytes[RG_DATAGRAM_MOST];
};
static inline bool spot_equal(struct spot a, struct spot b)
{
	return a.ip == b.ip && a.port == b.port;
}
void net_send(struct spot from, struct spot to, const void *bytes, size_t length, void *origin);
/* The same, and nothing happens to it on the way. */
void net_send_safely(struct spot from, struct spot to, const void *bytes, size_t length,
		     void *origin, uint64_t delay);

/* socket.c: the kernel's place. */
bool socket_readable(int fd);
void socket_deliver(const struct flight *);            /* a datagram arrives at the gateway */
void socket_refused(struct spot from, struct spot to); /* ICMP: what `from` sent found no port */
void sockets_check_closed(void);

/* radius.c: RADIUS as others write and read it; shares nothing with the gateway's. */
struct pdu {
	size_t length;
	uint8_t bytes[RG_RADIUS_MOST];
};
void pdu_begin(struct pdu *, uint8_t code, uint8_t id, const uint8_t authenticator[16], bool sign);
void pdu_add(struct pdu *, uint8_t type, const void *value, size_t length);
void pdu_add_text(struct pdu *, uint8_t type, const char *text);
void pdu_add_eap(struct pdu *, const void *eap, size_t length);
void pdu_add_keys(struct pdu *, const uint8_t msk[64], const uint8_t authenticator[16],
		  const char *secret);
void pdu_add_password(struct pdu *, const char *password, const char *secret);
void pdu_sign_request(struct pdu *, const char *secret);
void pdu_sign_accounting(struct pdu *, const char *secret);
void pdu_sign_reply(struct pdu *, const uint8_t authenticator[16], const char *secret);
/* The nth attribute of that type (0 first); NULL: none. */
const uint8_t *pdu_find(const uint8_t *packet, size_t length, uint8_t type, unsigned nth,
			size_t *value_length);
unsigned pdu_count(const uint8_t *packet, size_t length, uint8_t type);
size_t pdu_eap(const uint8_t *packet, size_t length, uint8_t out[RG_RADIUS_MOST]);
bool pdu_whole(const uint8_t *packet, size_t length); /* framed as RFC 2865 says */
enum signature { SIGNED, UNSIGNED, WRONG };
/* Of a request: its Message-Authenticator. */
enum signature pdu_request_signature(const uint8_t *packet, size_t length, const char *secret);
bool pdu_accounting_is_genuine(const uint8_t *packet, size_t length, const char *secret);
/* Of a reply: WRONG where the Response Authenticator or the Message-Authenticator is. */
enum signature pdu_reply_signature(const uint8_t *packet, size_t length,
				   const uint8_t authenticator[16], const char *secret);
/* False: there are none, or they cannot be read. */
bool pdu_keys(const uint8_t *packet, size_t length, const uint8_t authenticator[16],
	      const char *secret, uint8_t msk[64]);
bool pdu_password(const uint8_t *packet, size_t length, const char *secret, char out[129]);

/* people.c: who there is, and what the truth about them is. */
enum kind {
	HOME_TOY, /* our realm, a method of the simulation's */
	HOME_ASK, /* the same with a password that the directory judges */
	HOME_TLS, /* real EAP-TLS */
	VISITOR,  /* EAP by way of a peer */
	PAP,      /* a password by way of a peer */
	LOOP,     /* a realm whose proxy gives everything back to us */
	FOREIGN,  /* a realm that is refused */
	KINDS
};
enum manner {
	HONEST,
	WRONG_PROOF, /* does not have what it says that it has */
	ABANDONS,    /* begins and does not go on */
	THIEF,       /* goes on with somebody else's State, by another client */
	FORGER,      /* makes up States */
	BABBLER,     /* EAP that is none */
};
struct nas;
struct signin {
	unsigned number;
	enum kind kind;
	enum manner manner;
	struct nas *nas;
	char user[64];         /* User-Name, outer identity */
	char person[64];       /* the name that counts */
	enum rg_outcome truth; /* what the directory knows of this person */
	bool member;           /* of the group that may come in */
	uint8_t secret[16];
	char password[24];
	uint64_t nonce; /* of the laptop, by which toy methods know it */
	unsigned rounds, dropout;
	/* What was done about it. */
	bool accounted; /* home has heard of it */
	bool proven, granted_by_directory, denied_by_directory, accepted_by_home, rejected_by_home;
	unsigned asked, accepts, accept_records;
	enum rg_outcome told; /* by the directory, last */
	uint8_t msk[64];
	/* The laptop and what the NAS waits for. */
	struct exchange *now;
	unsigned tries, turn;
	bool wrong_password_first, eap_start;
	unsigned mtu; /* 0: not said */
	uint8_t state[253];
	size_t state_length;
	uint8_t eap[1600];
	size_t eap_length;
	bool over;
	enum rg_result result;
	struct rg_supplicant *supplicant; /* HOME_TLS, with what it borrows */
	struct rg_supplicant_profile *profile;
	struct rg_radius_key *key;
	/* The home server's side of a visitor. */
	uint8_t home_nonce[8], home_eap_id, home_answer[1500];
	size_t home_answer_length;
	int home_heard; /* Identifier of the EAP that was answered last; -1: none */
	unsigned home_round;
};
struct people {
	struct signin signins[SIGNINS_MOST];
	unsigned count;
};
extern struct people people;
void people_draw(void);
struct signin *signin_of_name(const char *name, size_t length); /* "p17@…"; NULL: nobody */
bool signin_may(const struct signin *); /* come in, by truth and rules, whatever the network does */
bool signin_must(const struct signin *);     /* where nothing goes wrong */
bool signin_unsigned(const struct signin *); /* its client may be known to sign by then */
const char *kind_word(enum kind);
const char *manner_word(enum manner);

/* exchange.c: requests that NASes made, and what may be answered to them. */
struct exchange {
	struct exchange *next;
	struct signin *signin; /* NULL: Status-Server */
	struct nas *nas;
	struct spot from, to;
	uint8_t code, id;
	uint8_t authenticator[16];
	bool futile;    /* the gateway may not go on with it, nor accept it */
	bool delivered; /* whole, at least once */
	bool is_signed;
	bool late;      /* unsigned, and its client was known to sign when it arrived */
	bool disturbed; /* another one under its Identifier came after its answer */
	uint64_t answered_ns;
	size_t answer_length;
	uint8_t *answer;
	size_t length;
	uint8_t bytes[];
};
struct exchange *exchange_new(struct nas *, struct spot from, struct spot to, const struct pdu *);
void exchange_delivered(struct exchange *);
/* The gateway says this to somebody who asks. */
void exchange_answered(struct spot from, struct spot to, const uint8_t *bytes, size_t length);
void exchanges_forget(void);

/* nas.c */
struct nas {
	unsigned number;
	const char *name, *secret;
	struct spot spots[2]; /* it may change its port */
	uint8_t next_id[2];
	bool forbidden;     /* a site that the rules deny */
	bool lenient;       /* policy "auto": does not sign where nothing makes it */
	uint64_t signed_ns; /* when a signed request of its arrived first; 0: never */
};
extern struct nas nases[NASES_MOST];
void nases_begin(void);
void nas_loop_back(struct signin *, const uint8_t *packet, size_t length);
void nas_receive(const struct flight *);
bool nas_is_at(struct spot);

/* laptop.c: what supplicants answer. */
/* Identity, or the next Response to a Request. False: the laptop has nothing to say. */
bool laptop_begin(struct signin *);
bool laptop_answer(struct signin *, const uint8_t *eap, size_t length);
void laptop_msk(struct signin *, const uint8_t server_nonce[8], uint8_t msk[64]);
void laptop_tag(const struct signin *, const uint8_t server_nonce[8], uint8_t tag[16]);

/* tls_laptop.c: the same with real EAP-TLS; the folder has the certificates. */
void tls_laptop_begin(struct signin *, const char *folder);
void tls_laptop_request(struct signin *, uint8_t id, struct pdu *);
enum rg_result tls_laptop_reply(struct signin *, const uint8_t *bytes,
				size_t length); /* NONE: goes on */
void tls_laptop_end(struct signin *);

/* peers.c: home servers beyond the federation's proxies. */
void peers_begin(void);
void peers_end(void);
void peer_sent(struct spot from, struct spot to, const uint8_t *bytes,
	       size_t length); /* it leaves the gateway */
void peer_answered(struct spot from, struct spot to, const uint8_t *bytes,
		   size_t length); /* and an answer arrives */
void peer_receive(const struct flight *);
bool peer_is_at(struct spot);
const char *peer_secret(unsigned number);

/* toy.c, directory.c: the modules. */
extern const struct rg_module toy_module, toyask_module, sim_directory_module;
#define TOY_TYPE    200
#define TOYASK_TYPE 201
extern unsigned toys_running;
extern unsigned questions_open;

/* town.c: the configuration and the gateway. */
bool town_prepare(void); /* once a process: what all seeds share */
void town_end(void);
const char *town_folder(void);
#define TLS_MOST 14 /* sign-ins below it have certificates */
extern struct rg_worker gateway_workers[WORKERS_MOST];
void gateway_begin(void);
void gateway_reload(void);
void gateway_drain(void);
void gateway_stop(void);

/* inside.c: what must hold inside the gateway between any two steps, and when all is quiet. */
void inside_check(void);
void inside_check_quiet(void);
void inside_check_end(void);
void inside_record(const struct rg_signin *);
#endif
