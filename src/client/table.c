#include "client/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct slot {
	uint8_t address[16]; /* masked */
	uint8_t bits;
	const struct rg_client *client; /* NULL: free */
};

/* One hash table for all prefixes; a look-up asks it once for each prefix length that occurs, longest
 * first, so its cost depends on the lengths in use (at most 129) and not on how many prefixes there are. */
struct rg_client_table {
	uint8_t lengths[129]; /* longest first */
	size_t length_count;
	size_t mask;
	struct slot slots[];
};

static void address_mask(uint8_t address[16], unsigned bits)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned kept = bits > 8 * i ? bits - 8 * i : 0;
		if (kept < 8)
			address[i] &= (uint8_t)(0xff00u >> kept);
	}
}

static uint64_t mix(uint64_t value)
{
	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

static uint64_t address_hash(const uint8_t address[16], unsigned bits)
{
	uint64_t high, low;
	memcpy(&high, address, 8);
	memcpy(&low, address + 8, 8);
	return mix(mix(high + bits) + low);
}

static struct slot *slot_find(struct slot *slots, size_t mask, const uint8_t address[16], unsigned bits)
{
	size_t at = (size_t)address_hash(address, bits) & mask;
	while (slots[at].client &&
	       (slots[at].bits != bits || memcmp(slots[at].address, address, 16) != 0))
		at = (at + 1) & mask;
	return &slots[at];
}

static void prefix_insert(struct rg_client_table *table, const struct rg_prefix *prefix,
			  const struct rg_client *client, bool *used)
{
	uint8_t address[16];
	memcpy(address, prefix->address, 16);
	address_mask(address, prefix->bits);
	struct slot *slot = slot_find(table->slots, table->mask, address, prefix->bits);
	used[prefix->bits] = true;
	if (slot->client)
		return;
	memcpy(slot->address, address, 16);
	slot->bits = prefix->bits;
	slot->client = client;
}

struct rg_client_table *client_table_new(const struct rg_client *clients, size_t count)
{
	size_t prefixes = 0, size = 16;
	for (size_t i = 0; i < count; i++)
		prefixes += clients[i].address_count;
	while (size < 2 * prefixes)
		size *= 2;
	struct rg_client_table *table = calloc(1, sizeof(*table) + size * sizeof(table->slots[0]));
	if (!table)
		return NULL;
	table->mask = size - 1;
	bool used[129] = {false};
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < clients[i].address_count; j++)
			prefix_insert(table, &clients[i].addresses[j], &clients[i], used);
	for (int bits = 128; bits >= 0; bits--)
		if (used[bits])
			table->lengths[table->length_count++] = (uint8_t)bits;
	return table;
}

void client_table_free(struct rg_client_table **table)
{
	free(*table);
	*table = NULL;
}

static bool address_of(const struct sockaddr *source, uint8_t address[16])
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	if (source->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, source, sizeof(in));
		memcpy(address, mapped, 12);
		memcpy(address + 12, &in.sin_addr, 4);
		return true;
	}
	if (source->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, source, sizeof(in6));
		memcpy(address, &in6.sin6_addr, 16);
		return true;
	}
	return false;
}

const struct rg_client *client_table_find(const struct rg_client_table *table,
					  const struct sockaddr *source)
{
	uint8_t address[16];
	if (!address_of(source, address))
		return NULL;
	/* From longest to shortest, so that each mask only clears more of the same copy. */
	for (size_t i = 0; i < table->length_count; i++) {
		address_mask(address, table->lengths[i]);
		const struct slot *slot = slot_find((struct slot *)table->slots, table->mask, address,
						    table->lengths[i]);
		if (slot->client)
			return slot->client;
	}
	return NULL;
}
