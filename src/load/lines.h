/* The NASes' sockets, each with a port of its own and 256 Identifiers (RFC 2865 §3). */
#ifndef RG_LOAD_LINES_H
#define RG_LOAD_LINES_H
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define RG_LINE_IDS 256

struct rg_line {
	int fd;
	unsigned used; /* Identifiers that wait for an answer */
	uint8_t next;
	void *asking[RG_LINE_IDS]; /* who waits for it; NULL: free */
};

struct rg_lines {
	unsigned count, at, run;
	struct rg_line *line;
	struct pollfd *polled; /* one for each, in order */
};

/* Opens count sockets to server. False with errno. Close it in any case. */
bool lines_open(struct rg_lines *, unsigned count, const struct sockaddr *server);
void lines_close(struct rg_lines *);
/* A line with a free Identifier, which is taken for `asking`; NULL: all are taken. Runs of packets
 * use one line, so that one system call sends them. */
struct rg_line *lines_take(struct rg_lines *, void *asking, uint8_t *id);
/* The same of one line, for a NAS that goes on from the port where it began. False: all are taken.
 */
bool line_take(struct rg_line *, void *asking, uint8_t *id);
void line_give_back(struct rg_line *, uint8_t id);
#endif
