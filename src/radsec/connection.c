#include "radsec/connection.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "radsec/private.h"
#include "tls/certificate.h"

#define CERTIFICATE_LOOK_S 10

static void on_timer(struct rg_timer *, uint64_t now);

struct rg_connection *connection_new(struct rg_connection_place *place, struct rg_radsec *radsec,
				     enum rg_transport transport)
{
	struct rg_connection *connection = calloc(1, sizeof(*connection));
	if (!connection)
		return NULL;
	*connection = (struct rg_connection){
		.place = place,
		.transport = transport,
		.radsec = radsec_ref(radsec),
		.fd = -1,
		.timer = {.fire = on_timer},
		.peer = {.tls = "", .cipher = "", .version = RG_RADIUS_1_0},
		.next = place->connections,
		.self = &place->connections,
	};
	connection->peer.subject = connection->subject;
	if (connection->next)
		connection->next->self = &connection->next;
	place->connections = connection;
	return connection;
}

/* Times. */

void connection_begin(struct rg_connection *connection)
{
	connection->handshake_due = clock_now() + RG_CONNECTION_HANDSHAKE_NS;
	connection_arm(connection);
}

static void sooner(uint64_t *due, uint64_t other)
{
	if (other != 0 && other < *due)
		*due = other;
}

void connection_arm(struct rg_connection *connection)
{
	uint64_t due = UINT64_MAX;
	if (connection->state == ENDING)
		return;
	sooner(&due, connection->connect_due);
	sooner(&due, connection->handshake_due);
	sooner(&due, connection->half_due);
	sooner(&due, connection->stuck_due);
	sooner(&due, connection->certificate_due);
	sooner(&due, connection->dtls_due);
	sooner(&due, connection->idle_due);
	if (due == UINT64_MAX)
		timer_cancel(connection->place->wheel, &connection->timer);
	else if (!timer_armed(&connection->timer) || connection->timer.due_ns != due)
		timer_arm(connection->place->wheel, &connection->timer, due);
}

static bool is_due(uint64_t due, uint64_t now)
{
	return due != 0 && due <= now;
}

/* Now and then, and not at its end alone: the clock on the wall may be set. */
static void time_certificate(struct rg_connection *connection, uint64_t now)
{
	time_t left = connection->peer.not_after - time(NULL);
	if (left <= 0)
		connection_end(connection, RG_CONNECTION_DISTRUSTED, "its certificate has expired");
	else
		connection->certificate_due =
			now + (left < CERTIFICATE_LOOK_S ? (uint64_t)left : CERTIFICATE_LOOK_S) * RG_SECOND;
}

static void time_idle(struct rg_connection *connection, uint64_t now)
{
	uint64_t silent = (uv_now(connection->place->loop) - connection->heard_ms) * RG_MS;
	if (silent >= RG_CONNECTION_IDLE_NS)
		connection_end(connection, RG_CONNECTION_IDLE, "nothing came for half an hour");
	else
		connection->idle_due = now + RG_CONNECTION_IDLE_NS - silent;
}

static void time_dtls(struct rg_connection *connection)
{
	connection->dtls_due = 0;
	if (connection->state != SHAKING_HANDS)
		return;
	if (DTLSv1_handle_timeout(connection->ssl) < 0)
		connection_fail_tls(connection);
	else
		connection_shake(connection);
}

static void time_handshake(struct rg_connection *connection)
{
	bool shaking = connection->state == SHAKING_HANDS;
	if (!dialing_next(connection))
		connection_end(connection, RG_CONNECTION_TIMEOUT,
			       shaking ? "no handshake within 10 s" : "no connection within 10 s");
}

static void on_timer(struct rg_timer *timer, uint64_t now)
{
	struct rg_connection *connection =
		(struct rg_connection *)((char *)timer - offsetof(struct rg_connection, timer));
	if (connection->state == ENDING)
		return;
	connection->place->busy = true;
	if (is_due(connection->handshake_due, now))
		time_handshake(connection);
	else if (is_due(connection->connect_due, now) && !dialing_next(connection))
		connection->connect_due = 0; /* the last address has all the time that is left */
	else if (is_due(connection->half_due, now))
		connection_end(connection, RG_CONNECTION_TIMEOUT, "half a packet, and silence");
	else if (is_due(connection->stuck_due, now))
		connection_end(connection, RG_CONNECTION_STUCK, "it reads nothing");
	if (is_due(connection->certificate_due, now))
		time_certificate(connection, now);
	if (is_due(connection->idle_due, now))
		time_idle(connection, now);
	if (is_due(connection->dtls_due, now))
		time_dtls(connection);
	connection_arm(connection);
	connection->place->busy = false;
}

/* Ends. */

void connection_end(struct rg_connection *connection, enum rg_connection_end how, const char *detail)
{
	enum state state = connection->state;
	if (state == ENDING)
		return;
	connection->state = ENDING;
	connection->end = how;
	snprintf(connection->detail, sizeof(connection->detail), "%s", detail);
	connection->next_ending = connection->place->ending;
	connection->place->ending = connection;
	timer_cancel(connection->place->wheel, &connection->timer);
	if (connection->poll)
		uv_poll_stop(connection->poll);
	if (state == OPEN && !connection->broken)
		stream_part(connection);
}

void connection_fail_tls(struct rg_connection *connection)
{
	char detail[160];
	unsigned long error = ERR_peek_last_error();
	long verified = SSL_get_verify_result(connection->ssl);
	const char *reason = ERR_reason_error_string(error);
	int alert = ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET;
	connection->broken = true;
	if (verified != X509_V_OK && ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED)
		snprintf(detail, sizeof(detail), "its certificate: %s",
			 X509_verify_cert_error_string(verified));
	else if (ERR_GET_LIB(error) == ERR_LIB_SSL && alert >= 0 && alert < 256)
		snprintf(detail, sizeof(detail), "TLS alert from the other side: %s",
			 SSL_alert_desc_string_long(alert));
	else
		snprintf(detail, sizeof(detail), "TLS: %s", reason ? reason : "it was cut");
	ERR_clear_error();
	connection_end(connection, RG_CONNECTION_TLS, detail);
}

/* The handshake. */

/* RFC 9765 §3: what ALPN says; where it says nothing, 1.0. */
static bool settle_version(struct rg_connection *connection)
{
	const unsigned char *chosen = NULL;
	unsigned length = 0;
	SSL_get0_alpn_selected(connection->ssl, &chosen, &length);
	struct rg_span alpn = span_of(chosen, length);
	connection->peer.version = span_equal(alpn, span_text("radius/1.1")) ? RG_RADIUS_1_1
									     : RG_RADIUS_1_0;
	return (connection->radsec->versions & connection->peer.version) &&
	       (connection->peer.version == RG_RADIUS_1_0 ||
		SSL_version(connection->ssl) == TLS1_3_VERSION);
}

static void note_peer(struct rg_connection *connection)
{
	int version = SSL_version(connection->ssl);
	X509 *certificate = SSL_get0_peer_certificate(connection->ssl);
	struct rg_connection_peer *peer = &connection->peer;
	peer->tls = version == TLS1_3_VERSION ? "1.3" : "1.2";
	peer->cipher = SSL_get_cipher_name(connection->ssl);
	if (psk_was_used(connection->ssl))
		peer->psk_identity = connection->psk_identity;
	if (!certificate)
		return;
	certificate_subject(certificate, connection->subject, sizeof(connection->subject));
	connection->borne = borne_of(certificate);
	peer->not_after = certificate_time(X509_get0_notAfter(certificate));
	connection->certificate_due = clock_now() + RG_SECOND;
}

static void note_times(struct rg_connection *connection)
{
	connection->connect_due = connection->handshake_due = connection->dtls_due = 0;
	connection->heard_ms = uv_now(connection->place->loop);
	if (connection->transport == RG_TRANSPORT_DTLS && connection->server)
		connection->idle_due = clock_now() + RG_CONNECTION_IDLE_NS;
	connection_arm(connection);
}

static void established(struct rg_connection *connection)
{
	char refusal[160] = "it is nobody we know";
	connection->state = OPEN;
	secret_free(&connection->psk);
	note_peer(connection);
	note_times(connection);
	port_opened(connection);
	bool is_current = SSL_get_SSL_CTX(connection->ssl) == connection->radsec->tls ||
			  SSL_get_SSL_CTX(connection->ssl) == connection->radsec->dtls;
	if (connection->keyed && !connection->peer.psk_identity)
		connection_end(connection, RG_CONNECTION_TLS, "TLS-PSK was not taken up");
	else if (!settle_version(connection))
		connection_end(connection, RG_CONNECTION_TLS,
			       "no version of RADIUS in common (RFC 9765)");
	else if (!is_current && !trust_holds(connection, refusal)) /* a reload came meanwhile */
		connection_end(connection, RG_CONNECTION_DISTRUSTED, refusal);
	else if (!connection->events ||
		 !connection->events->established(connection->owner, connection, refusal))
		connection_end(connection, RG_CONNECTION_TLS, refusal);
}

/* DTLS repeats what may be lost. */
static void note_dtls_timer(struct rg_connection *connection)
{
	struct timeval left;
	connection->dtls_due = 0;
	if (connection->transport == RG_TRANSPORT_DTLS && DTLSv1_get_timeout(connection->ssl, &left))
		connection->dtls_due = clock_now() + (uint64_t)left.tv_sec * RG_SECOND +
				       (uint64_t)left.tv_usec * 1000 + 1;
}

static bool is_cut(const struct rg_connection *connection, int error)
{
	return connection->transport == RG_TRANSPORT_TLS &&
	       (error == SSL_ERROR_SYSCALL ||
		ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING);
}

void connection_shake(struct rg_connection *connection)
{
	if (connection->state != SHAKING_HANDS)
		return;
	ERR_clear_error();
	int result = SSL_do_handshake(connection->ssl);
	if (result == 1) {
		connection->writing = false;
		stream_poll(connection);
		established(connection);
		return;
	}
	int error = SSL_get_error(connection->ssl, result);
	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
		if (!is_cut(connection, error) || !dialing_next(connection))
			connection_fail_tls(connection);
		return;
	}
	connection->writing = error == SSL_ERROR_WANT_WRITE;
	note_dtls_timer(connection);
	connection_arm(connection);
	stream_poll(connection);
}

/* What the owner asks. */

void connection_own(struct rg_connection *connection, const struct rg_connection_events *events,
		    void *owner)
{
	connection->events = events;
	connection->owner = owner;
}

void *connection_owner(const struct rg_connection *connection)
{
	return connection->owner;
}

bool connection_is_open(const struct rg_connection *connection)
{
	return connection->state == OPEN;
}

const struct rg_connection_peer *connection_peer(const struct rg_connection *connection)
{
	return &connection->peer;
}

bool connection_bears(const struct rg_connection *connection, const struct rg_strings *names,
		      const char **which)
{
	return connection->borne && borne_has(connection->borne, names, which);
}

bool connection_bears_realm(const struct rg_connection *connection, const char *realm)
{
	return connection->borne && borne_has_realm(connection->borne, realm);
}

const char *connection_end_text(enum rg_connection_end end)
{
	switch (end) {
	case RG_CONNECTION_CLOSED:
		return "closed by the other side";
	case RG_CONNECTION_UNREACHABLE:
		return "unreachable";
	case RG_CONNECTION_TIMEOUT:
		return "timed out";
	case RG_CONNECTION_TLS:
		return "handshake failed";
	case RG_CONNECTION_MALFORMED:
		return "malformed packet";
	case RG_CONNECTION_STUCK:
		return "reads nothing";
	case RG_CONNECTION_IDLE:
		return "idle";
	case RG_CONNECTION_DISTRUSTED:
		return "certificate not trusted";
	case RG_CONNECTION_OURS:
		return "ended here";
	}
	return "?";
}
