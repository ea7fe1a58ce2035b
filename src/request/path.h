/* The way of a request through the stages. */
#ifndef RG_REQUEST_PATH_H
#define RG_REQUEST_PATH_H
#include "request/request.h"

/* What a stage says. */
enum rg_next {
	RG_NEXT,  /* on to the next stage */
	RG_WAIT,  /* a directory, OCSP or a peer will answer later */
	RG_REPLY, /* an answer has left, or is on its way out */
	RG_DROP,  /* nothing is said; a counter says why */
};

/* Takes a packet that came by a link of this worker from first stage to last. False: its frame is broken, so that where
 * packets follow each other in a stream no more can be read from it. */
bool path_run(struct rg_worker *, struct rg_link *, const struct rg_datagram *);
/* The same of a batch, in whose order they go. False: the frame of one is broken; by a stream those after it are not taken. */
bool path_run_batch(struct rg_worker *, struct rg_link *, const struct rg_datagram *, size_t count);

/* The stages, in order; each in the file that is named. */
enum rg_next view_stage(struct rg_inbound *);   /* admit.c */
enum rg_next client_stage(struct rg_inbound *); /* admit.c */
void verify_digests(struct rg_inbound *[], size_t count); /* admit.c: of many at once, for verify_stage */
enum rg_next verify_stage(struct rg_inbound *); /* admit.c */
enum rg_next status_stage(struct rg_inbound *); /* admit.c */
enum rg_next window_stage(struct rg_inbound *); /* repeat.c */
enum rg_next route_stage(struct rg_inbound *);  /* direct.c */
enum rg_next home_stage(struct rg_inbound *);   /* home.c */
enum rg_next away_stage(struct rg_inbound *);   /* away.c */
#endif
