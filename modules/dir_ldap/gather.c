#include "gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "roamgate/span.h"

#define ROOM 4096u /* some ten questions; more leave sooner */

struct rg_gather {
	Sockbuf_IO_Desc *layer;
	size_t length, sent;
	uint8_t octets[ROOM];
};

static int setup(Sockbuf_IO_Desc *layer, void *argument)
{
	struct rg_gather *gather = argument;
	gather->layer = layer;
	layer->sbiod_pvt = gather;
	return 0;
}

static int end(Sockbuf_IO_Desc *layer)
{
	free(layer->sbiod_pvt);
	layer->sbiod_pvt = NULL;
	return 0;
}

static int control(Sockbuf_IO_Desc *layer, int option, void *argument)
{
	return LBER_SBIOD_CTRL_NEXT(layer, option, argument);
}

static ber_slen_t receive(Sockbuf_IO_Desc *layer, void *octets, ber_len_t length)
{
	return LBER_SBIOD_READ_NEXT(layer, octets, length);
}

enum rg_gathered gather_send(struct rg_gather *gather)
{
	while (gather->sent < gather->length) {
		errno = 0;
		/* After "full" TLS wants the same octets again, and maybe more behind them: so they
		 * stay where they are. */
		ber_slen_t sent =
			LBER_SBIOD_WRITE_NEXT(gather->layer, gather->octets + gather->sent,
					      gather->length - gather->sent);
		if (sent <= 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? RG_GATHERED_FULL
								       : RG_GATHERED_LOST;
		gather->sent += (size_t)sent;
	}
	gather->length = gather->sent = 0;
	return RG_GATHERED_SENT;
}

/* Takes what there is room for; libldap comes again with the rest. */
static ber_slen_t keep(Sockbuf_IO_Desc *layer, void *octets, ber_len_t length)
{
	struct rg_gather *gather = layer->sbiod_pvt;
	if (gather->length == ROOM)
		switch (gather_send(gather)) {
		case RG_GATHERED_SENT:
			break;
		case RG_GATHERED_FULL:
			errno = EAGAIN;
			return -1;
		case RG_GATHERED_LOST:
			errno = EPIPE;
			return -1;
		}
	size_t taken = ROOM - gather->length < length ? ROOM - gather->length : length;
	memcpy(gather->octets + gather->length, octets, taken);
	gather->length += taken;
	return (ber_slen_t)taken;
}

/* The last request is that it ends (RFC 4511 §4.3). */
static int send_last(Sockbuf_IO_Desc *layer)
{
	(void)gather_send(layer->sbiod_pvt);
	return 0;
}

static Sockbuf_IO gathering = {
	.sbi_setup = setup,
	.sbi_remove = end,
	.sbi_ctrl = control,
	.sbi_read = receive,
	.sbi_write = keep,
	.sbi_close = send_last,
};

struct rg_gather *gather_requests(Sockbuf *sockbuf)
{
	struct rg_gather *gather = calloc(1, sizeof(*gather));
	if (gather &&
	    ber_sockbuf_add_io(sockbuf, &gathering, LBER_SBIOD_LEVEL_APPLICATION, gather) == 0)
		return gather;
	free(gather);
	return NULL;
}
