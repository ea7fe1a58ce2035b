/* clients: who may ask. */
#include <stdio.h>
#include <string.h>

#include "config/rows.h"
#include "route/nai.h"

struct client {
	struct rg_client client;
	struct rg_strings addresses, client_names, visitor_reply;
	struct rg_secret *secret, *previous_secret, *psk;
	int64_t disconnect_port;
};

#define CLIENT(member) offsetof(struct client, client.member)

static const char *const policies[] = {"require", "auto", NULL};

static const struct rg_row client_rows[] = {
	{.name = "name", .type = RG_STRING, .offset = CLIENT(name), .flags = RG_REQUIRED,
	 .help = "in logs and metrics"},
	{.name = "site", .type = RG_STRING, .offset = CLIENT(site), .help = "the visited place"},
	{.name = "operator", .type = RG_STRING, .offset = CLIENT(operator),
	 .help = "whose site it is, for home = true"},
	{.name = "addresses", .type = RG_STRINGS, .offset = offsetof(struct client, addresses),
	 .help = "addresses and networks it asks from"},
	{.name = "secret", .type = RG_SECRET, .offset = offsetof(struct client, secret),
	 .help = "shared with it"},
	{.name = "previous_secret", .type = RG_SECRET, .offset = offsetof(struct client, previous_secret),
	 .help = "still taken while it is being replaced"},
	{.name = "client_names", .type = RG_STRINGS, .offset = offsetof(struct client, client_names),
	 .help = "it asks over TLS or DTLS, and its certificate bears one of these"},
	{.name = "psk_identity", .type = RG_STRING, .offset = CLIENT(psk_identity),
	 .help = "it asks over TLS or DTLS, by TLS-PSK (RFC 9813)"},
	{.name = "psk", .type = RG_SECRET, .offset = offsetof(struct client, psk), .help = "that key"},
	{.name = "operator_name", .type = RG_STRING, .offset = CLIENT(operator_name),
	 .help = "Operator-Name (RFC 5580)"},
	{.name = "message_authenticator", .type = RG_CHOICE, .offset = CLIENT(message_authenticator),
	 .fallback = "require", .choices = policies, .help = "require, or auto"},
	{.name = "ssids", .type = RG_STRINGS, .offset = CLIENT(ssids),
	 .help = "the only networks it may ask for"},
	{.name = "visitor_reply", .type = RG_STRINGS, .offset = offsetof(struct client, visitor_reply),
	 .help = "reply attributes for visitors"},
	{.name = "disconnect_port", .type = RG_INTEGER, .offset = offsetof(struct client, disconnect_port),
	 .least = 1, .most = 65535, .help = "where it takes Disconnect-Request (RFC 5176)"},
	{0},
};

/* RFC 5580 §4.1: a namespace digit, and for namespace 1 a realm. */
static void operator_name_check(struct rg_complaint *at, const char *name)
{
	if (name[0] < '0' || name[0] > '9')
		complain_error(at, "operator_name",
			       "must begin with its namespace (RFC 5580 §4.1): \"1%s\" for a realm", name);
	else if (name[0] == '1' && realm_check(span_text(name + 1)) != RG_NAI_OK)
		complain_error(at, "operator_name", "\"%s\" is no realm: %s", name + 1,
			       nai_fault_text(realm_check(span_text(name + 1))));
	else if (strlen(name) > 253)
		complain_error(at, "operator_name", "is over 253 octets");
}

/* One that is told by a certificate or a PSK may come from anywhere, and needs no secret (RFC 6614 §2.3). */
static void credentials_read(struct rg_complaint *at, struct client *read)
{
	struct rg_client *client = &read->client;
	bool names = config_setting_get_member(at->group, "client_names");
	bool psk = client->psk_identity || read->psk;
	client->transports = names || psk ? RG_OVER_TLS | RG_OVER_DTLS : RG_OVER_UDP;
	client->psk = psk_read(at, client->psk_identity, read->psk);
	if (names)
		client->names = peer_names_read(at, "client_names", &read->client_names);
	if (names && psk)
		complain_error(at, "client_names", "belongs to certificates: TLS-PSK shows none");
	client->address_count = prefixes_read(at, "addresses", &read->addresses, &client->addresses);
	if (client->transports != RG_OVER_UDP)
		return;
	if (!config_setting_get_member(at->group, "addresses"))
		complain_error(at, "addresses", "is missing");
	if (!config_setting_get_member(at->group, "secret") &&
	    !config_setting_get_member(at->group, "secret_file"))
		complain_error(at, "secret", "is missing: give it, or better secret_file");
	secret_judge(at, "secret", read->secret);
	secret_judge(at, "previous_secret", read->previous_secret);
}

void client_read(struct rg_reading *reading, config_setting_t *setting)
{
	struct client read = {0};
	struct rg_canon canon = {.outer = reading->canon};
	struct rg_complaint at = {reading, setting};
	struct rg_client *client = &reading->raddb->clients[reading->raddb->client_count];
	canon_setting(&canon, setting);
	reading->canon = &canon;
	rows_read(&at, client_rows, NULL, &read);
	reading->canon = canon.outer;
	*client = read.client;
	canon_end(&canon, client->digest);
	client->where = setting_where(setting);
	if (!client->name)
		client->name = "";
	else if (*client->name == '\0')
		complain_error(&at, "name", "is empty");
	if (!client->site)
		client->site = client->name;
	if (!client->operator)
		client->operator = client->site;
	if (client->operator_name)
		operator_name_check(&at, client->operator_name);
	read.client = *client;
	credentials_read(&at, &read);
	*client = read.client;
	client->key = key_make(reading->raddb, read.secret);
	client->previous_key = key_make(reading->raddb, read.previous_secret);
	client->visitor_reply = attributes_read(&at, "visitor_reply", &read.visitor_reply);
	if (read.disconnect_port != 0)
		complain_warning(&at, "disconnect_port", "is not served by this version");
	reading->clients[reading->raddb->client_count] = setting;
	client->number = reading->raddb->client_count++;
}

static void peer_client(struct rg_raddb *raddb, const struct rg_peer_settings *peer, struct rg_client *client)
{
	*client = (struct rg_client){
		.where = peer->where,
		.name = peer->name,
		.site = peer->name,
		.operator= "",
		.transports = RG_OVER_UDP,
		.addresses = peer->addresses,
		.address_count = peer->address_count,
		.names = peer->client_names,
		.psk_identity = peer->psk_identity,
		.psk = peer->psk,
		.key = peer->key,
		.message_authenticator = peer->message_authenticator,
		.peer = peer,
	};
	memcpy(client->digest, peer->digest, sizeof(client->digest));
	switch (peer->transport) {
	case RG_TRANSPORT_UDP:
		client->address_count = 1;
		client->addresses = arena_alloc(&raddb->arena, sizeof(*client->addresses));
		client->addresses[0] = prefix_of_address(&peer->address);
		return;
	case RG_TRANSPORT_TLS:
		client->transports = RG_OVER_TLS;
		return;
	case RG_TRANSPORT_DTLS:
		client->transports = RG_OVER_DTLS;
		return;
	case RG_TRANSPORT_HTTP:
		return;
	}
}

void clients_finish(struct rg_reading *reading)
{
	struct rg_raddb *raddb = reading->raddb;
	for (size_t i = 0; i < raddb->peer_count; i++) {
		const struct rg_peer_settings *peer = &raddb->peers[i];
		bool whole = peer->transport == RG_TRANSPORT_UDP
				     ? peer->key && peer->address.ss_family != AF_UNSPEC
				     : peer->psk || peer->client_names.count != 0;
		if (!peer->accepts || !whole)
			continue; /* of what it lacks there is a complaint */
		reading->clients[raddb->client_count] = reading->peers[i];
		peer_client(raddb, peer, &raddb->clients[raddb->client_count]);
		raddb->clients[raddb->client_count].number = raddb->client_count;
		raddb->client_count++;
	}
}
