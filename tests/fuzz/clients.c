/* Who asks: clients by their address blocks, beside a reading of the blocks one by one, a bit at a
 * time. Octets choose blocks and sources that lie near each other. */
#include "fuzz.h"

#include <arpa/inet.h>

#include "client/identify.h"
#include "client/table.h"
#include "core/secret.h"

#define CLIENTS_MOST 8
#define BLOCKS_MOST  3 /* of one */

static struct world {
	struct rg_client clients[CLIENTS_MOST];
	struct rg_prefix blocks[CLIENTS_MOST][BLOCKS_MOST];
	struct rg_raddb raddb;
} world;

static const char *const identities[] = {"hall@x.nl", "pub@x.nl", "HALL@x.nl", ""};
static struct rg_secret *secret;

/* Of IPv4 as clients and their sources have it, or of IPv6; the last octets are the input's. */
static void address_read(struct rg_cursor *cursor, uint8_t address[16], bool *v4)
{
	static const uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 20};
	static const uint8_t others[2][16] = {{0xfd, 0, 0, 0x20}, {0x20, 1, 0x0d, 0xb8}};
	uint8_t how = cursor_u8(cursor);
	*v4 = how & 1;
	memcpy(address, *v4 ? mapped : others[how >> 1 & 1], 16);
	if (how & 4)
		address[*v4 ? 12 : 6] ^= how;
	address[*v4 ? 14 : 7] ^= cursor_u8(cursor);
	address[15] ^= cursor_u8(cursor);
}

static bool bit_of(const uint8_t address[16], unsigned bit)
{
	return address[bit / 8] >> (7 - bit % 8) & 1;
}

static bool covers(const struct rg_prefix *block, const uint8_t address[16])
{
	for (unsigned bit = 0; bit < block->bits; bit++)
		if (bit_of(block->address, bit) != bit_of(address, bit))
			return false;
	return true;
}

/* Configuration refuses the same block twice. */
static bool is_new(const struct rg_prefix *block, size_t clients)
{
	for (size_t i = 0; i <= clients; i++)
		for (size_t j = 0; j < world.clients[i].address_count; j++)
			if (world.blocks[i][j].bits == block->bits &&
			    covers(&world.blocks[i][j], block->address))
				return false;
	return true;
}

static void world_read(struct rg_cursor *cursor)
{
	uint8_t count = cursor_u8(cursor);
	world = (struct world){0};
	world.raddb.clients = world.clients;
	world.raddb.client_count = count % (CLIENTS_MOST + 1u);
	for (size_t i = 0; i < world.raddb.client_count; i++) {
		struct rg_client *client = &world.clients[i];
		uint8_t how = cursor_u8(cursor);
		client->number = i;
		client->transports = 1 + how % 7u;
		client->addresses = world.blocks[i];
		if (how & 0x80) {
			client->psk_identity = identities[how >> 5 & 3];
			client->psk = secret;
		}
		for (unsigned many = how >> 3 & 3; many > 0; many--) {
			struct rg_prefix block;
			bool v4;
			address_read(cursor, block.address, &v4);
			uint8_t bits = cursor_u8(cursor);
			block.bits = v4 ? 96 + bits % 33 : bits % 129;
			if (is_new(&block, i))
				world.blocks[i][client->address_count++] = block;
		}
	}
}

static const struct rg_client *reference(unsigned over, const uint8_t address[16])
{
	const struct rg_client *found = NULL;
	int best = -1;
	for (size_t i = 0; i < world.raddb.client_count; i++)
		for (size_t j = 0; j < world.clients[i].address_count; j++)
			if ((world.clients[i].transports & over) &&
			    world.blocks[i][j].bits > best &&
			    covers(&world.blocks[i][j], address)) {
				best = world.blocks[i][j].bits;
				found = &world.clients[i];
			}
	return found;
}

static bool may_come(const struct rg_client *client, unsigned over, const uint8_t address[16])
{
	bool any = client->address_count == 0;
	for (size_t i = 0; i < client->address_count; i++)
		any = any || covers(&client->addresses[i], address);
	return any && (client->transports & over);
}

static void one_source(const struct rg_client_table *table, struct rg_cursor *cursor)
{
	uint8_t address[16];
	bool v4;
	union rg_address source = {0};
	address_read(cursor, address, &v4);
	/* An IPv4 source comes as either, by which socket it came. */
	if (v4 && !(address[15] & 1)) {
		source.v4.sin_family = AF_INET;
		memcpy(&source.v4.sin_addr, address + 12, 4);
	} else {
		source.v6.sin6_family = AF_INET6;
		memcpy(&source.v6.sin6_addr, address, 16);
	}
	MUST(client_table_find(table, &source.any) == reference(RG_OVER_UDP, address));
	for (unsigned i = 0; i < 2; i++) {
		unsigned over = i ? RG_OVER_DTLS : RG_OVER_TLS;
		enum rg_transport transport = i ? RG_TRANSPORT_DTLS : RG_TRANSPORT_TLS;
		bool any = false, key[4] = {false};
		for (size_t j = 0; j < world.raddb.client_count; j++) {
			const struct rg_client *client = &world.clients[j];
			bool may = may_come(client, over, address);
			any = any || may;
			for (unsigned k = 0; k < 4; k++)
				key[k] = key[k] || (may && client->psk &&
						    client->psk_identity == identities[k]);
		}
		MUST(client_may_come(&world.raddb, transport, &source) == any);
		for (unsigned k = 0; k < 4; k++)
			MUST(client_psk(&world.raddb, transport, &source, identities[k]) ==
			     (key[k] ? secret : NULL));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	if (!secret)
		MUST((secret = secret_new("a key", 5)));
	world_read(&cursor);
	struct rg_client_table *table =
		client_table_new(world.clients, world.raddb.client_count, RG_OVER_UDP);
	MUST(table);
	for (unsigned i = 0; i < 6 && (i == 0 || cursor_left(&cursor) != 0); i++)
		one_source(table, &cursor);
	client_table_free(&table);
	return 0;
}
