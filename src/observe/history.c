#include "observe/history.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "observe/packed.h"
#include "observe/record.h"

/* Memory that one record after another is kept in. */
struct place {
	size_t room;
	uint8_t packed[];
};

struct rg_history {
	unsigned most;
	uint64_t serial; /* of the newest; 0: none yet */
	struct place *ring[];
};

struct rg_history *history_new(unsigned most)
{
	struct rg_history *history;
	if (most == 0)
		most = 1;
	history = calloc(1, sizeof(*history) + most * sizeof(history->ring[0]));
	if (history)
		history->most = most;
	return history;
}

void history_free(struct rg_history **history)
{
	for (unsigned i = 0; *history && i < (*history)->most; i++)
		free((*history)->ring[i]);
	free(*history);
	*history = NULL;
}

void history_add(struct rg_history *history, struct rg_span packed)
{
	struct place **place = &history->ring[++history->serial % history->most];
	if (!*place || (*place)->room < packed.length) {
		free(*place);
		*place = malloc(sizeof(**place) + packed.length);
		if (!*place) /* without memory it is in the log alone */
			return;
		(*place)->room = packed.length;
	}
	memcpy((*place)->packed, packed.data, packed.length);
}

/* Who is looked for, in each form in which a record may hold it. */
struct sought {
	struct rg_span name;
	char mac[18];
	bool everyone, escaped;
};

static bool name_matches(const struct sought *sought, const char *name)
{
	char safe[1100];
	if (text_equal_nocase(sought->name, span_text(name)))
		return true;
	/* As a log line shows it. */
	return sought->escaped &&
	       text_equal_nocase(sought->name,
				 span_of(safe, text_escape(safe, sizeof(safe), span_text(name))));
}

/* An inner name without realm belongs to the realm that was asked for. */
static bool inner_matches(const struct sought *sought, const struct rg_signin *signin)
{
	char whole[sizeof(signin->inner) + sizeof(signin->realm) + 1];
	if (!signin->inner[0])
		return false;
	if (name_matches(sought, signin->inner))
		return true;
	if (strchr(signin->inner, '@'))
		return false;
	snprintf(whole, sizeof(whole), "%s@%s", signin->inner, signin->realm);
	return name_matches(sought, whole);
}

static bool matches(const struct sought *sought, const struct rg_signin *signin)
{
	return sought->everyone || (sought->mac[0] && strcmp(sought->mac, signin->mac) == 0) ||
	       name_matches(sought, signin->outer) || inner_matches(sought, signin);
}

json_t *history_find(const struct rg_history *history, const char *who, unsigned most,
		     uint64_t after, uint64_t *last_serial)
{
	json_t *found = json_array();
	struct rg_signin signin;
	struct sought sought = {.name = span_text(who)};
	sought.everyone = sought.name.length == 0;
	sought.escaped = who && strchr(who, '\\');
	text_mac(sought.mac, sought.name);
	uint64_t oldest = history->serial > history->most ? history->serial - history->most : 0;
	if (after < oldest)
		after = oldest;
	for (uint64_t serial = history->serial; serial > after && json_array_size(found) < most;
	     serial--) {
		const struct place *place = history->ring[serial % history->most];
		if (!place)
			continue;
		signin_unpack(&signin, place->packed);
		if (matches(&sought, &signin))
			json_array_append_new(found, record_trace(&signin, serial));
	}
	if (last_serial)
		*last_serial = history->serial;
	return found;
}
