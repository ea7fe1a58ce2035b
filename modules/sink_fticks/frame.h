/* Lines as syslog messages, several of them behind one another, of which some have left. */
#ifndef SINK_FTICKS_FRAME_H
#define SINK_FTICKS_FRAME_H
#include "line.h"
#include "target.h"

#define FTICKS_FRAMES_MOST 32
#define FTICKS_FRAME_MOST  2048 /* RFC 5425 §4.3.1, RFC 5426 §3.2: what a receiver should take */

struct fticks_frames {
	enum fticks_transport transport;
	unsigned facility;
	char host[65]; /* of this machine, or "-" */
	int pid;
	char data[FTICKS_FRAMES_MOST * FTICKS_FRAME_MOST];
	size_t used, sent;
	size_t ends[FTICKS_FRAMES_MOST];
	unsigned count;
};

void fticks_frames_init(struct fticks_frames *, enum fticks_transport, unsigned facility);
/* No more for now: a datagram bears one message. */
bool fticks_frames_full(const struct fticks_frames *);
/* wall_ns: when that was. */
void fticks_frames_add(struct fticks_frames *, const char *line, uint64_t wall_ns);
/* So many octets more have left. Returns how many messages left with them. */
unsigned fticks_frames_left(struct fticks_frames *, size_t octets);
/* The way has ended: what did not leave whole leaves from its beginning. */
void fticks_frames_again(struct fticks_frames *);
#endif
