/* What a peer says: whether it is genuine, and whom it answers. Private to this folder. */
#ifndef RG_UPSTREAM_RESPONSE_H
#define RG_UPSTREAM_RESPONSE_H
#include "upstream/channel.h"

/* Datagrams from a channel's socket; context: the channel. */
void response_take(void *context, const struct rg_datagram *, size_t count);
/* One packet from a channel's connection. False: its frame is broken. */
bool response_take_packet(struct rg_channel *, struct rg_span);
#endif
