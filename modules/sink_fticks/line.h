/* What a line says. */
#ifndef SINK_FTICKS_LINE_H
#define SINK_FTICKS_LINE_H
#include <stddef.h>

#include "roamgate/span.h"
#include "sink_fticks.h"

#define FTICKS_LINE_MOST 1536 /* octets, NUL included */
#define FTICKS_CSI_MOST  65

/* One sign-in, copied out of what the gateway says of it. */
struct fticks_tick {
	uint64_t wall_ns;
	char realm[128],
		institution[128]; /* institution "": basic reporting, which does not name it */
	char mac[18];             /* canonical, or "" */
	bool accepted;
};

struct fticks_format {
	const char *federation, *country;
	enum fticks_mac mac;
	struct rg_span key;
};

/* CSI of a canonical MAC ("" stays so), as radsecproxy makes it: the digests are of its lower-case
 * hex digits alone. */
void fticks_csi(char out[FTICKS_CSI_MOST], const struct fticks_format *, const char *mac);
/* The line, without an end of line; '#', backslashes and what is not printable ASCII as \xNN.
 * Returns its length. */
size_t fticks_line(char out[FTICKS_LINE_MOST], const struct fticks_format *,
		   const struct fticks_tick *);
#endif
