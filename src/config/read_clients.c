/* clients: who may ask. */
#include <stdio.h>
#include <string.h>

#include "config/rows.h"
#include "route/nai.h"

struct client {
	struct rg_client client;
	struct rg_strings addresses, visitor_reply;
	struct rg_secret *secret, *previous_secret;
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
	 .flags = RG_REQUIRED, .help = "addresses and networks it asks from"},
	{.name = "secret", .type = RG_SECRET, .offset = offsetof(struct client, secret),
	 .flags = RG_REQUIRED, .help = "shared with it"},
	{.name = "previous_secret", .type = RG_SECRET, .offset = offsetof(struct client, previous_secret),
	 .help = "still taken while it is being replaced"},
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

static void addresses_read(struct rg_complaint *at, struct client *read)
{
	struct rg_client *client = &read->client;
	client->addresses = arena_alloc(&at->reading->raddb->arena,
					(read->addresses.count + 1) * sizeof(*client->addresses));
	for (size_t i = 0; i < read->addresses.count; i++)
		if (prefix_parse(at, "addresses", read->addresses.items[i],
				 &client->addresses[client->address_count]))
			client->address_count++;
	if (config_setting_get_member(at->group, "addresses") && read->addresses.count == 0)
		complain_error(at, "addresses", "is empty: nobody could ask");
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
	client->transports = RG_OVER_UDP;
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
	addresses_read(&at, &read);
	*client = read.client;
	client->key = key_make(&at, "secret", read.secret);
	client->previous_key = key_make(&at, "previous_secret", read.previous_secret);
	client->visitor_reply = attributes_read(&at, "visitor_reply", &read.visitor_reply);
	if (read.disconnect_port != 0)
		complain_warning(&at, "disconnect_port", "is not served by this version");
	reading->clients[reading->raddb->client_count] = setting;
	client->number = reading->raddb->client_count++;
}

void clients_finish(struct rg_reading *reading)
{
	struct rg_raddb *raddb = reading->raddb;
	for (size_t i = 0; i < raddb->peer_count; i++) {
		const struct rg_peer_settings *peer = &raddb->peers[i];
		if (!peer->accepts || !peer->key || peer->address.ss_family == AF_UNSPEC)
			continue;
		struct rg_client *client = &raddb->clients[raddb->client_count];
		reading->clients[raddb->client_count] = reading->peers[i];
		*client = (struct rg_client){
			.where = peer->where,
			.name = peer->name,
			.site = peer->name,
			.operator= "",
			.transports = RG_OVER_UDP,
			.addresses = arena_alloc(&raddb->arena, sizeof(*client->addresses)),
			.address_count = 1,
			.key = peer->key,
			.message_authenticator = peer->message_authenticator,
			.peer = peer,
			.number = raddb->client_count++,
		};
		client->addresses[0] = prefix_of_address(&peer->address);
		memcpy(client->digest, peer->digest, sizeof(client->digest));
	}
}
