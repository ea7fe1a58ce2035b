/* What RadSec asks of the raddb as a whole: who shows which certificate, and that each one who asks over TLS or
 * DTLS can be told from all others. */
#include <stdlib.h>
#include <string.h>

#include "config/names.h"
#include "config/rows.h"
#include "core/secret.h"

static unsigned listen_over(const struct rg_listen *listen)
{
	switch (listen->transport) {
	case RG_TRANSPORT_UDP:
		return RG_OVER_UDP;
	case RG_TRANSPORT_TLS:
		return RG_OVER_TLS;
	case RG_TRANSPORT_DTLS:
		return RG_OVER_DTLS;
	case RG_TRANSPORT_HTTP:
		break;
	}
	return 0;
}

static void judge_credentials(struct rg_reading *reading)
{
	const struct rg_raddb *raddb = reading->raddb;
	for (size_t i = 0; i < raddb->credential_count; i++) {
		const struct rg_credential *credential = &raddb->credentials[i];
		struct rg_complaint at = {reading, reading->credentials[i]};
		struct rg_certificate_files files = {0, credential->certificate, credential->private_key,
						     credential->ca, credential->crl};
		bool used = false;
		if (!at.group)
			continue; /* none that is written */
		for (size_t j = 0; j < raddb->listen_count; j++)
			if (raddb->listens[j].credential == credential)
				files.shown |= RG_SHOWN_TO_CLIENTS;
		for (size_t j = 0; j < raddb->peer_count; j++) {
			if (raddb->peers[j].credential != credential)
				continue;
			used = true;
			if (!raddb->peers[j].psk)
				files.shown |= RG_SHOWN_TO_SERVERS;
		}
		for (size_t j = 0; j < raddb->route_count; j++)
			if (raddb->routes[j].credential == credential)
				files.shown |= RG_SHOWN_TO_SERVERS;
		certificates_judge(reading->certificates, &at, &files);
		if (!used && files.shown == 0)
			complain_warning(&at, NULL, "no listen, peer or route names this credential");
	}
}

/* Where a client that comes of a peer is spoken of. */
static const char *names_key(const config_setting_t *group)
{
	static const char *const keys[] = {"client_names", "server_names", "host"};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (config_setting_get_member(group, keys[i]))
			return keys[i];
	return "address";
}

static void judge_ways_in(struct rg_reading *reading)
{
	const struct rg_raddb *raddb = reading->raddb;
	for (size_t i = 0; i < raddb->client_count; i++) {
		const struct rg_client *client = &raddb->clients[i];
		struct rg_complaint at = {reading, reading->clients[i]};
		bool heard = client->transports == RG_OVER_UDP, shown = false;
		for (size_t j = 0; j < raddb->listen_count && !shown; j++) {
			const struct rg_listen *listen = &raddb->listens[j];
			if (!(listen_over(listen) & client->transports) || !listen->credential)
				continue;
			heard = true;
			shown = client->psk || listen->credential->certificate;
		}
		const char *over = client->transports == RG_OVER_TLS	? "tls"
				   : client->transports == RG_OVER_DTLS ? "dtls"
									: "tls or dtls";
		if (!heard)
			complain_warning(&at, client->peer ? "accepts" : NULL,
					 "nothing listens over %s: it can never ask", over);
		else if (!shown && client->transports != RG_OVER_UDP)
			complain_warning(&at, client->peer ? "accepts" : NULL,
					 "what listens over %s has no certificate to show it: it can never ask",
					 over);
	}
}

/* One name that a client's certificate may bear. */
struct bearer {
	const char *name;
	const struct rg_client *client;
};

static int by_name(const void *a, const void *b)
{
	const struct bearer *left = a, *right = b;
	int order = strcmp(left->name, right->name);
	if (order != 0)
		return order;
	return left->client->number < right->client->number ? -1 : left->client->number > right->client->number;
}

static bool may_be_one(const struct rg_client *a, const struct rg_client *b)
{
	if (a == b || !(a->transports & b->transports))
		return false;
	if (a->address_count == 0 || b->address_count == 0)
		return true;
	for (size_t i = 0; i < a->address_count; i++)
		for (size_t j = 0; j < b->address_count; j++)
			if (prefixes_overlap(&a->addresses[i], &b->addresses[j]))
				return true;
	return false;
}

static void bearer_judge(struct rg_reading *reading, const struct bearer *first, const struct bearer *bearer)
{
	const struct rg_client *client = bearer->client;
	struct rg_complaint at = {reading, reading->clients[client->number]};
	for (; first < bearer; first++) {
		if (!may_be_one(first->client, client))
			continue;
		complain_error(&at, names_key(at.group),
			       "\"%s\" is a name of \"%s\" too (%s:%u) and their addresses overlap: which of them "
			       "asks could not be told; set their names or addresses apart",
			       bearer->name, first->client->name, first->client->where.file,
			       first->client->where.line);
		return;
	}
}

static void judge_bearers(struct rg_reading *reading)
{
	const struct rg_raddb *raddb = reading->raddb;
	size_t count = 0, most = 0, begin = 0;
	for (size_t i = 0; i < raddb->client_count; i++)
		most += raddb->clients[i].names.count;
	struct bearer *bearers = arena_alloc(&reading->scratch, (most + 1) * sizeof(*bearers));
	for (size_t i = 0; i < raddb->client_count; i++)
		for (size_t j = 0; j < raddb->clients[i].names.count; j++)
			bearers[count++] =
				(struct bearer){raddb->clients[i].names.items[j], &raddb->clients[i]};
	qsort(bearers, count, sizeof(*bearers), by_name);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(bearers[begin].name, bearers[i].name) != 0)
			begin = i;
		bearer_judge(reading, &bearers[begin], &bearers[i]);
	}
}

/* The identity alone tells the key, before anything is known of who asks. */
static void judge_psk_identities(struct rg_reading *reading)
{
	static const unsigned ways[] = {RG_OVER_TLS, RG_OVER_DTLS};
	const struct rg_raddb *raddb = reading->raddb;
	struct rg_names seen[2] = {{0}, {0}};
	for (size_t i = 0; i < raddb->client_count; i++) {
		const struct rg_client *client = &raddb->clients[i];
		struct rg_complaint at = {reading, reading->clients[i]};
		const struct rg_where *first = NULL;
		for (size_t way = 0; client->psk && way < 2; way++) {
			const struct rg_where *former = NULL;
			if (client->transports & ways[way])
				former = names_add(&seen[way], span_text(client->psk_identity), client->where);
			first = first ? first : former;
		}
		if (first)
			complain_error(&at, "psk_identity", "\"%s\" is taken: it is at %s:%u already",
				       client->psk_identity, first->file, first->line);
	}
	names_free(&seen[0]);
	names_free(&seen[1]);
}

static void psk_judge(struct rg_complaint *at, const struct rg_names *secrets, const struct rg_secret *psk)
{
	if (psk && names_find(secrets, secret_span(psk)))
		complain_error(at, "psk",
			       "is a secret elsewhere in this raddb as well: a key is for TLS-PSK alone (RFC 9813 "
			       "§4.1.3)");
}

/* "no shared secret is used as a PSK": a secret of UDP can be found from what is sent, and would open this. */
static void judge_psks(struct rg_reading *reading)
{
	const struct rg_raddb *raddb = reading->raddb;
	struct rg_names secrets = {0};
	for (const struct rg_keepsake *keepsake = raddb->keepsakes; keepsake; keepsake = keepsake->next)
		if (keepsake->secret && !keepsake->psk)
			names_add(&secrets, secret_span(keepsake->secret), (struct rg_where){0});
	for (size_t i = 0; i < raddb->client_count; i++) {
		struct rg_complaint at = {reading, reading->clients[i]};
		if (!raddb->clients[i].peer)
			psk_judge(&at, &secrets, raddb->clients[i].psk);
	}
	for (size_t i = 0; i < raddb->peer_count; i++) {
		struct rg_complaint at = {reading, reading->peers[i]};
		psk_judge(&at, &secrets, raddb->peers[i].psk);
	}
	names_free(&secrets);
}

void radsec_judge(struct rg_reading *reading)
{
	judge_credentials(reading);
	judge_ways_in(reading);
	judge_bearers(reading);
	judge_psk_identities(reading);
	judge_psks(reading);
}
