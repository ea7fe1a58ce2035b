/* Records of sign-ins as requests give rise to them (observe/signin.h). */
#ifndef RG_REQUEST_NOTE_H
#define RG_REQUEST_NOTE_H
#include "observe/signin.h"
#include "request/request.h"

/* Begins a record with what a request says of itself. client may be NULL: unknown. label: of metrics, bounded. */
void note_begin(struct rg_signin *, const struct rg_packet *, const struct rg_client *,
		const char *label, uint64_t now);
/* Whom the request names: of a conversation that began before anybody was named. */
void note_name(struct rg_signin *, const struct rg_packet *);
/* Ends it and hands it over. detail may be NULL. */
void note_end(struct rg_worker *, struct rg_signin *, enum rg_result, enum rg_reason,
	      const char *detail);
/* A request that ends before it is one: at most some a second are recorded, so that a flood fills no log. */
void note_dropped(const struct rg_inbound *, enum rg_reason, const char *detail);
#endif
