#include "client/table.h"

#include <stdlib.h>
#include <string.h>

#include "client/prefix.h"

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
	prefix_mask_address(address, prefix->bits);
	struct slot *slot = slot_find(table->slots, table->mask, address, prefix->bits);
	used[prefix->bits] = true;
	if (slot->client)
		return;
	memcpy(slot->address, address, 16);
	slot->bits = prefix->bits;
	slot->client = client;
}

struct rg_client_table *client_table_new(const struct rg_client *clients, size_t count, unsigned over)
{
	size_t prefixes = 0, size = 16;
	for (size_t i = 0; i < count; i++)
		if (clients[i].transports & over)
			prefixes += clients[i].address_count;
	while (size < 2 * prefixes)
		size *= 2;
	struct rg_client_table *table = calloc(1, sizeof(*table) + size * sizeof(table->slots[0]));
	if (!table)
		return NULL;
	table->mask = size - 1;
	bool used[129] = {false};
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; (clients[i].transports & over) && j < clients[i].address_count; j++)
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

const struct rg_client *client_table_find(const struct rg_client_table *table,
					  const struct sockaddr *source)
{
	uint8_t address[16];
	if (!prefix_address(source, address))
		return NULL;
	/* From longest to shortest, so that each mask only clears more of the same copy. */
	for (size_t i = 0; i < table->length_count; i++) {
		prefix_mask_address(address, table->lengths[i]);
		const struct slot *slot = slot_find((struct slot *)table->slots, table->mask, address,
						    table->lengths[i]);
		if (slot->client)
			return slot->client;
	}
	return NULL;
}
