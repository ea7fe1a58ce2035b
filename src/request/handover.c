/* A datagram whose session another worker has goes there whole. */
#include <stdlib.h>

#include "request/path.h"
#include "request/ports.h"

struct handed_over {
	struct rg_message message;
	struct rg_datagram datagram;
	union rg_address bound; /* the port that it came to, to find our own socket of it */
	uint8_t bytes[];
};

static void on_handed_over(struct rg_message *message, void *owner, bool closing)
{
	struct handed_over *parcel = (struct handed_over *)message;
	struct rg_worker *worker = owner;
	struct rg_link *link = closing ? NULL : ports_find(worker, &parcel->bound);
	if (link)
		path_run(worker, link, &parcel->datagram);
	free(parcel);
}

void worker_hand_over(struct rg_worker *from, unsigned to, const struct rg_inbound *inbound)
{
	size_t length = inbound->datagram->bytes.length;
	struct handed_over *parcel = malloc(sizeof(*parcel) + length);
	socklen_t bound = sizeof(parcel->bound);
	if (!parcel)
		return;
	parcel->message = (struct rg_message){.deliver = on_handed_over};
	parcel->datagram = *inbound->datagram;
	memcpy(parcel->bytes, inbound->datagram->bytes.data, length);
	parcel->datagram.bytes = span_of(parcel->bytes, length);
	if (getsockname(inbound->link->fd, &parcel->bound.any, &bound) == 0)
		mailbox_post(&from->siblings[to].mailbox, &parcel->message);
	else
		free(parcel);
}
