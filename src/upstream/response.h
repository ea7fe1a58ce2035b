/* What a peer says: whether it is genuine, and whom it answers. Private to this folder. */
#ifndef RG_UPSTREAM_RESPONSE_H
#define RG_UPSTREAM_RESPONSE_H
#include "upstream/channel.h"

/* Datagrams from a channel's socket; context: the channel. */
void response_take(void *context, const struct rg_datagram *, size_t count);
/* Packets from a channel's connection. False: the frame of one is broken; those after it are not taken. */
bool response_take_packets(struct rg_channel *, const struct rg_span *packets, size_t count);
#endif
