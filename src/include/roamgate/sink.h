/* A sink is told of every sign-in that has ended and carries what it makes of it somewhere else: statistics of a
 * federation, a collector. It has threads of its own; nobody ever waits for it.
 *
 * Its module owns a group at the top of the configuration (rg_sink_kind.group), read by the module's rows.
 */
#ifndef ROAMGATE_SINK_H
#define ROAMGATE_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "roamgate/reason.h"

#define RG_SINK_WHY 160

/* Who is sure of what; SILENT: nobody said anything that counts. */
enum rg_ended_as { RG_ENDED_ACCEPTED, RG_ENDED_REJECTED, RG_ENDED_SILENT };

/* A sign-in that has ended. Borrowed until `take` returns. Texts are never NULL; names in them are octets from
 * outside, to be escaped where they are written; only detail is escaped already. */
struct rg_ended {
	const char *id;            /* by which `roamgate trace` knows it */
	uint64_t wall_ns;          /* when it ended, since the epoch */
	uint32_t total_us;
	enum rg_ended_as as;
	enum rg_reason reason;
	const char *outer, *inner; /* names, with realm; inner "" unless it was of our own realms */
	const char *realm;         /* of the outer name, lower case */
	const char *label;         /* the configured realm's name, "visitor", or "-" */
	const char *mac;           /* "AA-BB-CC-DD-EE-FF", or "" */
	const char *called;
	const char *client, *site; /* by whom it was asked, and where that stands */
	const char *operator_name; /* of that place (RFC 5580), or "" */
	bool elsewhere;            /* a federation peer asked: the place is not ours */
	const char *method, *tls;
	bool resumed;
	const char *detail;
};

/* What a sink needs to know of the gateway. Borrowed until `open` returns. */
struct rg_sink_gateway {
	const char *name, *country; /* "NL" */
};

enum rg_sink_state { RG_SINK_UNKNOWN, RG_SINK_UP, RG_SINK_DOWN };

struct rg_sink_status {
	enum rg_sink_state state;
	char why[RG_SINK_WHY]; /* escaped; "" when up */
	int64_t since;         /* seconds since the epoch */
	uint64_t sent;         /* records that have left */
	uint64_t dropped;      /* records for which there was no room */
	uint32_t waiting;
};

struct rg_sink_kind {
	/* "fticks": the key at the top of the configuration. */
	const char *group;
	/* Starts; does not wait for anybody it sends to, and does not fail because that is down. Copies what it
	 * needs of settings. On the main thread. NULL: why says what is wrong. */
	void *(*open)(const void *settings, const struct rg_sink_gateway *, char why[RG_SINK_WHY]);
	/* Of one thread at a time. Never waits: it copies what it needs, or drops and counts. */
	void (*take)(void *sink, const struct rg_ended *);
	/* From another thread than take's, at any time. */
	void (*status)(void *sink, struct rg_sink_status *);
	/* Gives what waits a second or two to leave. Nothing calls take or status any more. */
	void (*close)(void *sink);
};

#endif
