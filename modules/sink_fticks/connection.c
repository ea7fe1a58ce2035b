#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "tls/library.h"

#define PATIENCE_NS                                                                                \
	(10 * RG_SECOND)     /* for a connection, for a handshake, for a write without progress */
#define READS_MOST 64        /* at once, of a receiver that talks */
#define LAST_NS    RG_SECOND /* for what is left once somebody stops us */

static int milliseconds(uint64_t from, uint64_t to)
{
	return (int)((to - from + RG_MS - 1) / RG_MS);
}

bool fticks_wait(struct fticks_stop *stop, int fd, short events, uint64_t deadline)
{
	for (;;) {
		struct pollfd ready[2] = {{.fd = fd, .events = events},
					  {.fd = stop->fd, .events = POLLIN}};
		uint64_t now = clock_now();
		uint64_t end = stop->until != 0 && stop->until < deadline ? stop->until : deadline;
		if (now >= end)
			return false;
		if (poll(ready, stop->until != 0 ? 1 : 2, milliseconds(now, end)) < 0 &&
		    errno != EINTR)
			return false;
		if (stop->until == 0 && ready[1].revents != 0)
			stop->until = clock_now() + LAST_NS;
		if (ready[0].revents != 0)
			return true;
	}
}

static void say_errno(char why[RG_SINK_WHY], int error)
{
	snprintf(why, RG_SINK_WHY, "%s", strerror(error));
}

static void say_tls(char why[RG_SINK_WHY], SSL *ssl, const char *what)
{
	long verified = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
	unsigned long error = ERR_get_error();
	const char *reason = error ? ERR_reason_error_string(error) : NULL;
	if (verified != X509_V_OK)
		reason = X509_verify_cert_error_string(verified);
	snprintf(why, RG_SINK_WHY, "%s: %s", what, reason ? reason : "the connection has ended");
	ERR_clear_error();
}

SSL_CTX *fticks_tls_new(const char *ca, const char *certificate, const char *private_key,
			char why[RG_SINK_WHY])
{
	const char *wrong = NULL;
	unsigned before = tls_library_refusals();
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	ERR_clear_error();
	/* RFC 9662: TLS 1.2 at least. */
	if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION))
		wrong = "TLS";
	else if (SSL_CTX_load_verify_locations(context, ca, NULL) != 1)
		wrong = "ca";
	else if (certificate && SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
		wrong = "certificate";
	else if (private_key &&
		 (SSL_CTX_use_PrivateKey_file(context, private_key, SSL_FILETYPE_PEM) != 1 ||
		  SSL_CTX_check_private_key(context) != 1))
		wrong = "private_key";
	if (!wrong && tls_library_refusals() != before)
		wrong = "no memory";
	if (wrong) {
		say_tls(why, NULL, wrong);
		SSL_CTX_free(context);
		return NULL;
	}
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(context,
			 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	return context;
}

/* RFC 5425 §5.2: the name or address that was asked for, in the SAN. */
static bool expect_name(SSL *ssl, const char *name)
{
	uint8_t address[16];
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
						       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

/* What TLS waits for; 0: nothing, it has failed. */
static short tls_wants(SSL *ssl, int result)
{
	int error = SSL_get_error(ssl, result);
	return error == SSL_ERROR_WANT_READ ? POLLIN : error == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
}

static bool handshake(struct fticks_connection *connection, SSL_CTX *tls, const char *name,
		      struct fticks_stop *stop, char why[RG_SINK_WHY])
{
	uint64_t deadline = clock_now() + PATIENCE_NS;
	connection->ssl = SSL_new(tls);
	ERR_clear_error();
	if (!connection->ssl || SSL_set_fd(connection->ssl, connection->fd) != 1 ||
	    !expect_name(connection->ssl, name)) {
		say_tls(why, NULL, "TLS");
		return false;
	}
	for (;;) {
		int result = SSL_connect(connection->ssl);
		short events = result == 1 ? 0 : tls_wants(connection->ssl, result);
		if (result == 1)
			return true;
		if (events == 0) {
			say_tls(why, connection->ssl, "TLS");
			return false;
		}
		if (!fticks_wait(stop, connection->fd, events, deadline)) {
			snprintf(why, RG_SINK_WHY, "TLS: no answer in time");
			return false;
		}
	}
}

static bool connect_to(struct fticks_connection *connection, int type,
		       const struct sockaddr *address, socklen_t length, struct fticks_stop *stop,
		       char why[RG_SINK_WHY])
{
	int error = 0;
	socklen_t size = sizeof(error);
	connection->datagrams = type == SOCK_DGRAM;
	connection->fd = socket(address->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (connection->fd < 0 || connect(connection->fd, address, length) != 0)
		error = errno;
	if (connection->fd >= 0 && error == EINPROGRESS) {
		if (!fticks_wait(stop, connection->fd, POLLOUT, clock_now() + PATIENCE_NS))
			error = ETIMEDOUT;
		else if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
			error = errno;
	}
	if (error == 0)
		return true;
	say_errno(why, error);
	fticks_connection_close(connection);
	return false;
}

static bool connect_local(struct fticks_connection *connection, const struct fticks_target *target,
			  struct fticks_stop *stop, char why[RG_SINK_WHY])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, target->path, sizeof(address.sun_path));
	return connect_to(connection, SOCK_DGRAM, (struct sockaddr *)&address, sizeof(address),
			  stop, why);
}

static bool connect_remote(struct fticks_connection *connection, const struct fticks_target *target,
			   struct fticks_stop *stop, char why[RG_SINK_WHY])
{
	struct addrinfo *found = NULL;
	bool fine = false;
	const struct addrinfo hints = {
		.ai_socktype = target->transport == FTICKS_UDP ? SOCK_DGRAM : SOCK_STREAM};
	int failed = getaddrinfo(target->host, target->port, &hints, &found);
	if (failed) {
		snprintf(why, RG_SINK_WHY, "%s", gai_strerror(failed));
		return false;
	}
	for (const struct addrinfo *at = found; at && !fine && stop->until == 0; at = at->ai_next)
		fine = connect_to(connection, at->ai_socktype, at->ai_addr, at->ai_addrlen, stop,
				  why);
	freeaddrinfo(found);
	return fine;
}

bool fticks_connection_open(struct fticks_connection *connection,
			    const struct fticks_target *target, SSL_CTX *tls,
			    const char *server_name, struct fticks_stop *stop,
			    char why[RG_SINK_WHY])
{
	bool fine = false;
	*connection = (struct fticks_connection){.fd = -1};
	snprintf(why, RG_SINK_WHY, "the gateway stops");
	switch (target->transport) {
	case FTICKS_LOCAL:
		return connect_local(connection, target, stop, why);
	case FTICKS_UDP:
	case FTICKS_TCP:
		return connect_remote(connection, target, stop, why);
	case FTICKS_TLS:
		fine = connect_remote(connection, target, stop, why) &&
		       handshake(connection, tls, server_name, stop, why);
		break;
	}
	if (!fine)
		fticks_connection_close(connection);
	return fine;
}

static bool must_wait(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* One attempt: octets taken; 0: wait for *events; -1: it has failed, why. */
static ssize_t write_once(struct fticks_connection *connection, const char *data, size_t length,
			  short *events, char why[RG_SINK_WHY])
{
	*events = POLLOUT;
	if (!connection->ssl) {
		ssize_t written = send(connection->fd, data, length, MSG_NOSIGNAL);
		if (written > 0)
			return written;
		if (written < 0 && must_wait(errno))
			return 0;
		say_errno(why, written < 0 ? errno : EIO);
		return -1;
	}
	ERR_clear_error();
	int written = SSL_write(connection->ssl, data, (int)length);
	if (written > 0)
		return written;
	*events = tls_wants(connection->ssl, written);
	if (*events != 0)
		return 0;
	say_tls(why, connection->ssl, "TLS");
	return -1;
}

size_t fticks_connection_write(struct fticks_connection *connection, const char *data,
			       size_t length, struct fticks_stop *stop, char why[RG_SINK_WHY])
{
	uint64_t deadline = clock_now() + PATIENCE_NS;
	for (;;) {
		short events;
		ssize_t written = write_once(connection, data, length, &events, why);
		if (written != 0)
			return written > 0 ? (size_t)written : 0;
		if (!fticks_wait(stop, connection->fd, events, deadline)) {
			snprintf(why, RG_SINK_WHY, "it does not read");
			return 0;
		}
	}
}

bool fticks_connection_alive(struct fticks_connection *connection, char why[RG_SINK_WHY])
{
	char nothing[512];
	if (connection->ssl) {
		int result = 1;
		ERR_clear_error();
		for (int i = 0; i < READS_MOST && result > 0; i++)
			result = SSL_read(connection->ssl, nothing, sizeof(nothing));
		if (result > 0 || tls_wants(connection->ssl, result) != 0)
			return true;
		say_tls(why, connection->ssl, "TLS");
		return false;
	}
	ssize_t result = 1;
	for (int i = 0; i < READS_MOST && result > 0; i++)
		result = recv(connection->fd, nothing, sizeof(nothing), MSG_DONTWAIT);
	if (result > 0 || (result == 0 && connection->datagrams) ||
	    (result < 0 && must_wait(errno)))
		return true;
	if (result == 0)
		snprintf(why, RG_SINK_WHY, "the receiver has closed the connection");
	else
		say_errno(why, errno);
	return false;
}

void fticks_connection_close(struct fticks_connection *connection)
{
	if (connection->ssl) {
		SSL_shutdown(connection->ssl);
		SSL_free(connection->ssl);
	}
	if (connection->fd >= 0)
		close(connection->fd);
	ERR_clear_error();
	*connection = (struct fticks_connection){.fd = -1};
}
