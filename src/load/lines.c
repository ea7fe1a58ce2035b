#include "load/lines.h"

#include <stdlib.h>
#include <unistd.h>

#include "transport/udp.h"

/* Packets that leave one line before the next has its turn. */
#define RUN 32

bool lines_open(struct rg_lines *lines, unsigned count, const struct sockaddr *server)
{
	*lines = (struct rg_lines){0};
	lines->line = calloc(count, sizeof(*lines->line));
	lines->polled = calloc(count, sizeof(*lines->polled));
	if (!lines->line || !lines->polled)
		return false;
	for (; lines->count < count; lines->count++) {
		int fd = udp_connect(server);
		if (fd < 0)
			return false;
		lines->line[lines->count].fd = fd;
		lines->polled[lines->count] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	return true;
}

void lines_close(struct rg_lines *lines)
{
	for (unsigned i = 0; i < lines->count; i++)
		close(lines->line[i].fd);
	free(lines->line);
	free(lines->polled);
	*lines = (struct rg_lines){0};
}

bool line_take(struct rg_line *line, void *asking, uint8_t *id)
{
	if (line->used == RG_LINE_IDS)
		return false;
	/* In turn, so that an Identifier rests as long as it can. */
	while (line->asking[line->next])
		line->next++;
	*id = line->next++;
	line->asking[*id] = asking;
	line->used++;
	return true;
}

struct rg_line *lines_take(struct rg_lines *lines, void *asking, uint8_t *id)
{
	for (unsigned tried = 0; tried <= lines->count; tried++) {
		struct rg_line *line = &lines->line[lines->at];
		if (lines->run < RUN && line_take(line, asking, id)) {
			lines->run++;
			return line;
		}
		lines->at = (lines->at + 1) % lines->count;
		lines->run = 0;
	}
	return NULL;
}

void line_give_back(struct rg_line *line, uint8_t id)
{
	line->asking[id] = NULL;
	line->used--;
}
