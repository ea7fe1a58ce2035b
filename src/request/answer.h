/* How a request ends: an answer that leaves, one that waits for its time, or silence. */
#ifndef RG_REQUEST_ANSWER_H
#define RG_REQUEST_ANSWER_H
#include "reply/reply.h"
#include "request/request.h"

/* Sends the packet and keeps it for repeats. False: empty, or no memory; the request is gone. */
bool answer_packet(struct rg_request *, struct rg_span packet);
/* Composes and sends. A Reject made here waits reject_delay_ms first (federation.md). False: it cannot be said in one
 * packet, or there is no memory; the request is gone all the same. */
bool answer_reply(struct rg_request *, const struct rg_reply *);
/* Sends what was answered before, once more. */
void answer_again(struct rg_request *);
/* Nothing is said, and nothing remembered: a repeat begins anew. Detaches it from session and peer. */
void request_drop(struct rg_request *);
#define RG_SILENCE_NS (30 * RG_SECOND) /* as long as a NAS repeats (RFC 5080 §2.2.1: MRD) */
/* Nothing is said, now or to a repeat: who could decide was not to be asked, and no Reject may say otherwise. */
void request_silence(struct rg_request *);
/* For the window: a request object for this datagram. NULL: no memory. */
struct rg_request *request_new(const struct rg_inbound *);
#endif
