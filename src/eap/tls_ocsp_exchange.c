#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/http.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/text.h"
#include "eap/tls_ocsp.h"

#define RESPONSE_MOST 65536

/* It goes into a request's first lines, where a blank or a control character would be more than a name; and a URL has no
 * others (RFC 3986 §2). */
static bool is_graphic(const char *text)
{
	while (*text > 0x20 && *text < 0x7f)
		text++;
	return *text == '\0';
}

bool ocsp_responder_parse(struct rg_ocsp_responder *responder, const char *url)
{
	char *host = NULL, *port = NULL, *path = NULL, *query = NULL;
	int tls = 0;
	bool good = OSSL_HTTP_parse_url(url, &tls, NULL, &host, &port, NULL, &path, &query, NULL) &&
		    !tls && host[0] && strlen(host) < sizeof(responder->host) &&
		    strlen(port) < sizeof(responder->port);
	if (good) {
		bool asks = query && *query;
		int length = snprintf(responder->path, sizeof(responder->path), "%s%s%s", path,
				      asks ? "?" : "", asks ? query : "");
		snprintf(responder->host, sizeof(responder->host), "%s", host);
		snprintf(responder->port, sizeof(responder->port), "%s", port);
		good = length > 0 && (size_t)length < sizeof(responder->path) &&
		       is_graphic(responder->path) && is_graphic(responder->host);
		char shown[64];
		text_escape(shown, sizeof(shown), span_text(host));
		snprintf(responder->name, sizeof(responder->name), "%s:%s", shown, responder->port);
	}
	OPENSSL_free(host);
	OPENSSL_free(port);
	OPENSSL_free(path);
	OPENSSL_free(query);
	ERR_clear_error();
	return good;
}

bool ocsp_responder_of(struct rg_ocsp_responder *responder, const X509 *certificate)
{
	/* X509_get1_ocsp only reads, but is declared to want a certificate that it may change. */
	STACK_OF(OPENSSL_STRING) *urls = X509_get1_ocsp((X509 *)(uintptr_t)certificate);
	bool found = false;
	for (int i = 0; i < sk_OPENSSL_STRING_num(urls) && i < 4 && !found; i++)
		found = ocsp_responder_parse(responder, sk_OPENSSL_STRING_value(urls, i));
	X509_email_free(urls);
	return found;
}

/* 1: ready. 0: the deadline. -1: told to stop. */
static int wait_for(int fd, short events, uint64_t deadline_ns, int stop_fd)
{
	for (;;) {
		uint64_t now = clock_now();
		if (now >= deadline_ns)
			return 0;
		struct pollfd polled[2] = {{fd, events, 0}, {stop_fd, POLLIN, 0}};
		int ready = poll(polled, 2, (int)((deadline_ns - now) / RG_MS) + 1);
		if (ready < 0 && errno != EINTR)
			return -1;
		if (ready > 0 && polled[1].revents)
			return -1;
		if (ready > 0)
			return 1;
	}
}

static int connect_one(const struct addrinfo *address, uint64_t deadline_ns, int stop_fd,
		       int *error)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	*error = errno;
	if (fd < 0)
		return -1;
	*error = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
	if (*error == EINPROGRESS) {
		socklen_t length = sizeof(*error);
		if (wait_for(fd, POLLOUT, deadline_ns, stop_fd) <= 0)
			*error = ETIMEDOUT;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, error, &length) != 0)
			*error = errno;
	}
	if (*error == 0)
		return fd;
	close(fd);
	return -1;
}

static int connect_any(const struct rg_ocsp_responder *responder, uint64_t deadline_ns, int stop_fd,
		       char why[RG_OCSP_DETAIL])
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	int failed = getaddrinfo(responder->host, responder->port, &hints, &found), fd = -1,
	    error = 0;
	if (failed) {
		snprintf(why, RG_OCSP_DETAIL, "OCSP %s: %s", responder->name, gai_strerror(failed));
		return -1;
	}
	for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
		fd = connect_one(at, deadline_ns, stop_fd, &error);
	freeaddrinfo(found);
	if (fd < 0)
		snprintf(why, RG_OCSP_DETAIL, "OCSP %s: %s", responder->name, strerror(error));
	return fd;
}

OCSP_RESPONSE *ocsp_exchange(const struct rg_ocsp_responder *responder, OCSP_REQUEST *request,
			     uint64_t deadline_ns, int stop_fd, char why[RG_OCSP_DETAIL])
{
	OCSP_RESPONSE *response = NULL;
	OSSL_HTTP_REQ_CTX *http = NULL;
	BIO *bio = NULL;
	char host[sizeof(responder->host) + sizeof(responder->port) + 4];
	bool ipv6 = strchr(responder->host, ':');
	snprintf(host, sizeof(host), "%s%s%s:%s", ipv6 ? "[" : "", responder->host, ipv6 ? "]" : "",
		 responder->port);
	int fd = connect_any(responder, deadline_ns, stop_fd, why);
	if (fd < 0)
		return NULL;
	bio = BIO_new_socket(fd, BIO_CLOSE);
	if (!bio) {
		close(fd);
		goto out;
	}
	http = OCSP_sendreq_new(bio, responder->path, NULL, 0);
	snprintf(why, RG_OCSP_DETAIL, "OCSP %s: no memory", responder->name);
	if (!http || !OSSL_HTTP_REQ_CTX_add1_header(http, "Host", host) ||
	    !OSSL_HTTP_REQ_CTX_set1_req(http, "application/ocsp-request",
					ASN1_ITEM_rptr(OCSP_REQUEST), (const ASN1_VALUE *)request))
		goto out;
	OSSL_HTTP_REQ_CTX_set_max_response_length(http, RESPONSE_MOST);
	for (;;) {
		ERR_clear_error();
		int done = OCSP_sendreq_nbio(&response, http);
		if (done == 1)
			break;
		if (done != -1 || !BIO_should_retry(bio)) {
			const char *reason = ERR_reason_error_string(ERR_peek_last_error());
			snprintf(why, RG_OCSP_DETAIL, "OCSP %s: %s", responder->name,
				 reason ? reason : "the connection was closed");
			break;
		}
		int ready =
			wait_for(fd, BIO_should_read(bio) ? POLLIN : POLLOUT, deadline_ns, stop_fd);
		if (ready <= 0) {
			snprintf(why, RG_OCSP_DETAIL, "OCSP %s: %s", responder->name,
				 ready == 0 ? "no answer in time" : "stopped");
			break;
		}
	}
out:
	OSSL_HTTP_REQ_CTX_free(http);
	BIO_free(bio);
	ERR_clear_error();
	return response;
}
