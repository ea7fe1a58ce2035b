/* peers: where everyone else's staff are sent, and who may ask for ours. */
#include <string.h>

#include "config/rows.h"

struct peer {
	struct rg_peer_settings peer;
	int transport;
	const char *address, *credential;
	int64_t port, accounting_port;
	struct rg_secret *secret, *psk;
	struct rg_strings addresses, server_names, client_names, discover;
};

#define PEER(member) offsetof(struct peer, peer.member)

static const char *const transports[] = {"udp", "tls", "dtls", NULL};
static const char *const policies[] = {"require", "auto", NULL};

static const struct rg_row peer_rows[] = {
	{.name = "name", .type = RG_STRING, .offset = PEER(name), .flags = RG_REQUIRED,
	 .help = "by which routes name it"},
	{.name = "transport", .type = RG_CHOICE, .offset = offsetof(struct peer, transport),
	 .fallback = "udp", .choices = transports, .help = "udp, tls or dtls"},
	{.name = "address", .type = RG_STRING, .offset = offsetof(struct peer, address),
	 .help = "its IPv4 or IPv6 address"},
	{.name = "host", .type = RG_STRING, .offset = PEER(host), .help = "of tls and dtls: its name"},
	{.name = "port", .type = RG_INTEGER, .offset = offsetof(struct peer, port), .least = 1,
	 .most = 65535, .help = "1812; 2083 for tls and dtls"},
	{.name = "accounting_port", .type = RG_INTEGER, .offset = offsetof(struct peer, accounting_port),
	 .least = 1, .most = 65535, .help = "one above port where it is left out"},
	{.name = "secret", .type = RG_SECRET, .offset = offsetof(struct peer, secret),
	 .help = "shared with it; required for udp"},
	{.name = "status_server", .type = RG_BOOLEAN, .offset = PEER(status_server), .fallback = "false",
	 .help = "it answers Status-Server"},
	{.name = "accepts", .type = RG_BOOLEAN, .offset = PEER(accepts), .fallback = "false",
	 .help = "it may ask for the realms here"},
	{.name = "message_authenticator", .type = RG_CHOICE, .offset = PEER(message_authenticator),
	 .fallback = "require", .choices = policies, .help = "as of clients"},
	{.name = "credential", .type = RG_STRING, .offset = offsetof(struct peer, credential),
	 .help = "of tls and dtls: which of credentials is shown"},
	{.name = "addresses", .type = RG_STRINGS, .offset = offsetof(struct peer, addresses),
	 .help = "of tls and dtls: addresses and networks it asks from"},
	{.name = "server_names", .type = RG_STRINGS, .offset = offsetof(struct peer, server_names),
	 .help = "names of which its certificate bears one when it is called"},
	{.name = "client_names", .type = RG_STRINGS, .offset = offsetof(struct peer, client_names),
	 .help = "names of which its certificate bears one when it asks"},
	{.name = "psk_identity", .type = RG_STRING, .offset = PEER(psk_identity),
	 .help = "TLS-PSK in place of certificates (RFC 9813)"},
	{.name = "psk", .type = RG_SECRET, .offset = offsetof(struct peer, psk), .help = "that key"},
	{.name = "discover", .type = RG_STRINGS, .offset = offsetof(struct peer, discover),
	 .help = "belongs to routes (RFC 7585)"},
	{0},
};

static bool is_given(const struct rg_complaint *at, const char *key)
{
	return config_setting_get_member(at->group, key);
}

static void udp_peer_read(struct rg_complaint *at, struct peer *read)
{
	static const char *const others[] = {"host", "credential", "addresses", "server_names",
					     "client_names", "psk_identity"};
	struct rg_peer_settings *peer = &read->peer;
	int64_t accounting = read->accounting_port ? read->accounting_port : peer->port + 1;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (is_given(at, others[i]))
			complain_error(at, others[i], "belongs to tls and dtls, not to udp");
	if (read->psk)
		complain_error(at, "psk", "belongs to tls and dtls, not to udp");
	if (!is_given(at, "secret") && !is_given(at, "secret_file"))
		complain_error(at, "secret", "is missing: give it, or better secret_file");
	secret_judge(at, "secret", read->secret);
	peer->host = read->address;
	if (!read->address)
		complain_error(at, "address", "is missing");
	else if (!address_parse(read->address, peer->port, &peer->address))
		complain_error(at, "address", "\"%s\" is no address", read->address);
	else if (accounting <= 65535)
		address_parse(read->address, (uint16_t)accounting, &peer->accounting_address);
}

/* Where it is called: at its address where one is known, else at what its name says by then. */
static void tls_peer_place(struct rg_complaint *at, struct peer *read)
{
	struct rg_peer_settings *peer = &read->peer;
	if (read->address && !address_parse(read->address, peer->port, &peer->address))
		complain_error(at, "address", "\"%s\" is no address: a name is given as host", read->address);
	if (peer->host && host_check(at, "host", peer->host) && !read->address)
		address_parse(peer->host, peer->port, &peer->address);
	if (!peer->host && !read->address)
		complain_error(at, "host", "is missing: the name or address that is called");
	if (!peer->host)
		peer->host = read->address ? read->address : "";
	if (read->accounting_port != 0)
		complain_error(at, "accounting_port", "belongs to udp: over %s all goes to one port",
			       transports[peer->transport]);
}

static void tls_peer_names(struct rg_complaint *at, struct peer *read)
{
	struct rg_peer_settings *peer = &read->peer;
	struct rg_strings host = {&peer->host, 1};
	if (peer->psk_identity) {
		if (is_given(at, "server_names"))
			complain_error(at, "server_names", "belongs to certificates: TLS-PSK shows none");
		if (is_given(at, "client_names"))
			complain_error(at, "client_names", "belongs to certificates: TLS-PSK shows none");
		return;
	}
	if (is_given(at, "server_names"))
		peer->server_names = peer_names_read(at, "server_names", &read->server_names);
	else if (*peer->host)
		peer->server_names = peer_names_read(at, "host", &host);
	peer->client_names = peer->server_names;
	if (!is_given(at, "client_names"))
		return;
	peer->client_names = peer_names_read(at, "client_names", &read->client_names);
	if (!peer->accepts)
		complain_warning(at, "client_names", "means nothing: accepts is false, so the peer may not ask");
}

static void tls_peer_credential(struct rg_complaint *at, struct peer *read)
{
	struct rg_peer_settings *peer = &read->peer;
	if (!read->credential && (peer->psk_identity || peer->psk)) {
		peer->credential = credential_without_files(at->reading);
		return;
	}
	if (!read->credential) {
		complain_error(at, "credential",
			       "is missing: which of credentials is shown (or psk_identity and psk_file)");
		return;
	}
	peer->credential = credential_find(at, read->credential);
	if (!peer->credential)
		return;
	if (!peer->psk_identity && !peer->credential->certificate)
		complain_error(at, "credential",
			       "\"%s\" has no certificate to show: give it one, or the peer psk_identity and "
			       "psk_file",
			       read->credential);
	credential_judge(at, peer->credential, peer->transport);
	if (peer->psk_identity && peer->transport == RG_TRANSPORT_TLS &&
	    peer->credential->tls_min != peer->credential->tls_max)
		complain_warning(at, "credential",
				 "\"%s\" is for TLS 1.2 and 1.3: a key should serve one of them (RFC 9813); leave "
				 "credential out for 1.3, or name one whose tls_min is its tls_max",
				 read->credential);
}

static void tls_peer_read(struct rg_complaint *at, struct peer *read)
{
	struct rg_peer_settings *peer = &read->peer;
	tls_peer_place(at, read);
	peer->psk = psk_read(at, peer->psk_identity, read->psk);
	tls_peer_credential(at, read);
	tls_peer_names(at, read);
	peer->address_count = prefixes_read(at, "addresses", &read->addresses, &peer->addresses);
	if (is_given(at, "addresses") && !peer->accepts)
		complain_warning(at, "addresses", "means nothing: accepts is false, so the peer may not ask");
	if (!is_given(at, "addresses") && peer->address.ss_family != AF_UNSPEC)
		peer->addresses[peer->address_count++] = prefix_of_address(&peer->address);
}

static uint16_t peer_port(const struct peer *read)
{
	if (read->port != 0)
		return (uint16_t)read->port;
	return read->transport == RG_TRANSPORT_UDP ? 1812 : 2083;
}

void peer_read(struct rg_reading *reading, config_setting_t *setting)
{
	struct peer read = {0};
	struct rg_canon canon = {.outer = reading->canon};
	struct rg_complaint at = {reading, setting};
	struct rg_peer_settings *peer = &reading->raddb->peers[reading->raddb->peer_count];
	canon_setting(&canon, setting);
	reading->canon = &canon;
	rows_read(&at, peer_rows, NULL, &read);
	reading->canon = canon.outer;
	canon_end(&canon, read.peer.digest);
	read.peer.where = setting_where(setting);
	read.peer.transport = (enum rg_transport)read.transport;
	read.peer.port = peer_port(&read);
	if (!read.peer.name)
		read.peer.name = "";
	else if (*read.peer.name == '\0')
		complain_error(&at, "name", "is empty");
	/* Of a transport that is none nobody knows which keys belong to it. */
	bool known = !told_of(&at, "transport");
	if (known && read.peer.transport == RG_TRANSPORT_UDP)
		udp_peer_read(&at, &read);
	else if (known)
		tls_peer_read(&at, &read);
	read.peer.key = key_make(reading->raddb, read.secret);
	if (is_given(&at, "discover"))
		complain_error(&at, "discover", "belongs to routes: what DNS names are peers of a route");
	reading->peers[reading->raddb->peer_count] = setting;
	read.peer.number = reading->raddb->peer_count++;
	*peer = read.peer;
}
