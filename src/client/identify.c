#include "client/identify.h"

#include <string.h>

#include "client/prefix.h"

static bool may_come(const struct rg_client *client, enum rg_transport transport,
		     const union rg_address *source)
{
	unsigned over = transport == RG_TRANSPORT_TLS ? RG_OVER_TLS : RG_OVER_DTLS;
	if (!(client->transports & over))
		return false;
	for (size_t i = 0; i < client->address_count; i++)
		if (prefix_covers(&client->addresses[i], &source->any))
			return true;
	return client->address_count == 0;
}

static bool has_psk(const struct rg_client *client, const char *identity)
{
	return client->psk && strcmp(client->psk_identity, identity) == 0;
}

const struct rg_client *client_identify(const struct rg_raddb *raddb, enum rg_transport transport,
					const struct rg_connection *connection)
{
	const struct rg_connection_peer *peer = connection_peer(connection);
	for (size_t i = 0; i < raddb->client_count; i++) {
		const struct rg_client *client = &raddb->clients[i];
		if (!may_come(client, transport, &peer->address))
			continue;
		if (peer->psk_identity ? has_psk(client, peer->psk_identity)
				       : !client->psk && connection_bears(connection, &client->names, NULL))
			return client;
	}
	return NULL;
}

bool client_may_come(const struct rg_raddb *raddb, enum rg_transport transport,
		     const union rg_address *source)
{
	for (size_t i = 0; i < raddb->client_count; i++)
		if (may_come(&raddb->clients[i], transport, source))
			return true;
	return false;
}

const struct rg_secret *client_psk(const struct rg_raddb *raddb, enum rg_transport transport,
				   const union rg_address *source, const char *identity)
{
	for (size_t i = 0; i < raddb->client_count; i++) {
		const struct rg_client *client = &raddb->clients[i];
		if (has_psk(client, identity) && may_come(client, transport, source))
			return client->psk;
	}
	return NULL;
}
