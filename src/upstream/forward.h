/* Requests under way, from one peer to the next. Private to this folder. */
#ifndef RG_UPSTREAM_FORWARD_H
#define RG_UPSTREAM_FORWARD_H
#include "upstream/upstream.h"

/* It is over, whatever became of it. */
void forward_free(struct rg_upstream *, struct rg_forward *);
void forward_lost(struct rg_upstream *, struct rg_forward *, enum rg_lost);
/* Its peer says that it cannot (Protocol-Error, RFC 7930 §4): it goes to another peer of its route, or is
 * lost. Either way the forward is freed. */
void forward_declined(struct rg_forward *, uint64_t now);
/* What the peer has under way goes to other peers where there are any; what stays may be answered yet. realm:
 * requests of that one alone; 0: all. */
void forwards_give_up(struct rg_peer *, uint32_t realm, uint64_t now);
/* The channel has ended: what was under way on it is sent again, or lost. */
void forwards_move_from(struct rg_channel *, uint64_t now);
/* One that waited for a connection goes by one that has an Identifier; or it is lost. */
void forward_go(struct rg_forward *, uint64_t now);
/* Sends our own Status-Server (RFC 5997), over RadSec by that connection; else channel is NULL. False: no socket or no
 * memory. */
bool forward_probe(struct rg_peer *, struct rg_channel *, uint64_t now);
#endif
