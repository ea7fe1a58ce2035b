#include "eap/session.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>

/* 0: a mark, 1: node, 2-3: worker, 4-7: slot, 8-15: tag. */
#define STATE_MARK 0xa7

bool session_table_init(struct rg_session_table *table, uint32_t most, uint8_t node, uint16_t worker)
{
	*table = (struct rg_session_table){.most = most, .node = node, .worker = worker};
	table->slots = calloc(most, sizeof(struct rg_session *));
	table->free_slots = calloc(most, sizeof(uint32_t));
	return table->slots && table->free_slots;
}

void session_table_destroy(struct rg_session_table *table)
{
	free(table->slots);
	free(table->free_slots);
	table->slots = NULL;
	table->free_slots = NULL;
}

/* One that was free again last, so that memory is used that is used already. */
static uint32_t slot_take(struct rg_session_table *table)
{
	if (table->count == table->used)
		return table->used++;
	return table->free_slots[table->used - table->count - 1];
}

static uint8_t share_of(const char *client_name)
{
	uint32_t hash = 2166136261u; /* FNV-1a; names are the administrator's */
	for (; *client_name; client_name++)
		hash = (hash ^ (uint8_t)*client_name) * 16777619u;
	return (uint8_t)(hash ^ hash >> 8 ^ hash >> 16 ^ hash >> 24);
}

struct rg_session *session_table_victim(struct rg_session_table *table)
{
	if (table->count < table->most)
		return NULL;
	struct rg_session_share *busiest = &table->shares[0];
	for (unsigned i = 1; i < RG_SESSION_SHARES; i++)
		if (table->shares[i].count > busiest->count)
			busiest = &table->shares[i];
	return busiest->oldest;
}

struct rg_session *session_new(struct rg_session_table *table, const char *client_name)
{
	if (table->count >= table->most)
		return NULL;
	struct rg_session *session = calloc(1, sizeof(*session));
	if (!session || RAND_bytes((unsigned char *)&session->tag, sizeof(session->tag)) != 1) {
		free(session);
		return NULL;
	}
	session->slot = slot_take(table);
	table->slots[session->slot] = session;
	table->count++;
	session->share = share_of(client_name);
	struct rg_session_share *share = &table->shares[session->share];
	session->older = share->newest;
	if (share->newest)
		share->newest->newer = session;
	else
		share->oldest = session;
	share->newest = session;
	share->count++;
	return session;
}

void session_free(struct rg_session_table *table, struct rg_session **freed)
{
	struct rg_session *session = *freed;
	*freed = NULL;
	struct rg_session_share *share = &table->shares[session->share];
	if (session->older)
		session->older->newer = session->newer;
	else
		share->oldest = session->newer;
	if (session->newer)
		session->newer->older = session->older;
	else
		share->newest = session->older;
	share->count--;
	table->slots[session->slot] = NULL;
	table->count--;
	table->free_slots[table->used - table->count - 1] = session->slot;
	free(session);
}

void session_state(const struct rg_session_table *table, const struct rg_session *session,
		   uint8_t out[RG_STATE_LENGTH])
{
	struct rg_buffer buffer = buffer_over(out, RG_STATE_LENGTH);
	buffer_u8(&buffer, STATE_MARK);
	buffer_u8(&buffer, table->node);
	buffer_u16(&buffer, table->worker);
	buffer_u32(&buffer, session->slot);
	buffer_put(&buffer, span_of(&session->tag, sizeof(session->tag)));
}

enum rg_state_owner session_state_owner(const struct rg_session_table *table, struct rg_span state,
					uint16_t *worker)
{
	struct rg_cursor cursor = cursor_over(state);
	uint8_t mark = cursor_u8(&cursor), node = cursor_u8(&cursor);
	*worker = cursor_u16(&cursor);
	if (state.length != RG_STATE_LENGTH || mark != STATE_MARK)
		return RG_STATE_FOREIGN;
	if (node != table->node)
		return RG_STATE_OTHER_NODE;
	return *worker == table->worker ? RG_STATE_MINE : RG_STATE_OTHER_WORKER;
}

struct rg_session *session_find(const struct rg_session_table *table, struct rg_span state)
{
	struct rg_cursor cursor = cursor_over(state);
	cursor_take(&cursor, 4);
	uint32_t slot = cursor_u32(&cursor);
	struct rg_span tag = cursor_take(&cursor, sizeof(uint64_t));
	if (cursor.failed || slot >= table->most || !table->slots[slot])
		return NULL;
	struct rg_session *session = table->slots[slot];
	/* Constant time, so that the tag cannot be found octet by octet. */
	return CRYPTO_memcmp(tag.data, &session->tag, tag.length) == 0 ? session : NULL;
}

struct rg_session *session_any(const struct rg_session_table *table)
{
	for (unsigned i = 0; i < RG_SESSION_SHARES; i++)
		if (table->shares[i].oldest)
			return table->shares[i].oldest;
	return NULL;
}
