#include "responder.h"

#include <arpa/inet.h>
#include <openssl/ocsp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static void must(bool good, const char *what)
{
	if (!good) {
		perror(what);
		abort();
	}
}

/* The body of one POST. */
static OCSP_REQUEST *read_request(int fd)
{
	static char text[16384];
	size_t length = 0;
	for (;;) {
		ssize_t got = recv(fd, text + length, sizeof(text) - 1 - length, 0);
		if (got <= 0)
			return NULL;
		length += (size_t)got;
		text[length] = '\0';
		char *body = memmem(text, length, "\r\n\r\n", 4);
		char *announced = strcasestr(text, "Content-Length:");
		if (!body || !announced)
			continue;
		long want = atol(announced + 15);
		body += 4;
		if (length - (size_t)(body - text) < (size_t)want)
			continue;
		const unsigned char *at = (const unsigned char *)body;
		return d2i_OCSP_REQUEST(NULL, &at, want);
	}
}

static OCSP_RESPONSE *answer(struct responder *responder, OCSP_REQUEST *request)
{
	enum responder_mood mood = (enum responder_mood)atomic_load(&responder->mood);
	if (mood == RESPONDER_TRY_LATER)
		return OCSP_response_create(OCSP_RESPONSE_STATUS_TRYLATER, NULL);
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0)), *other = NULL;
	bool stale = mood == RESPONDER_STALE;
	ASN1_TIME *from = X509_gmtime_adj(NULL, stale ? -90000 : -60);
	ASN1_TIME *to = X509_gmtime_adj(NULL, stale ? -3600 : 3600);
	ASN1_TIME *when = X509_gmtime_adj(NULL, -50);
	if (mood == RESPONDER_OTHER)
		id = other = OCSP_cert_to_id(NULL, responder->other->certificate,
					     responder->ca->certificate);
	bool revoked = mood == RESPONDER_REVOKED;
	OCSP_basic_add1_status(basic, id,
			       revoked                     ? V_OCSP_CERTSTATUS_REVOKED
			       : mood == RESPONDER_UNKNOWN ? V_OCSP_CERTSTATUS_UNKNOWN
							   : V_OCSP_CERTSTATUS_GOOD,
			       revoked ? OCSP_REVOKED_STATUS_KEYCOMPROMISE : 0,
			       revoked ? when : NULL, from, to);
	OCSP_copy_nonce(basic, request);
	must(OCSP_basic_sign(basic, responder->signer->certificate, responder->signer->key,
			     EVP_sha256(), NULL, 0) == 1,
	     "sign");
	OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(other);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	ASN1_TIME_free(when);
	return response;
}

static void serve(struct responder *responder, int fd)
{
	OCSP_REQUEST *request = read_request(fd);
	if (!request)
		return;
	atomic_fetch_add(&responder->asked, 1);
	if (atomic_load(&responder->mood) == RESPONDER_GARBAGE) {
		(void)!write(fd, "HTTP/1.0 200 OK\r\n\r\ngarbage", 26);
	} else {
		OCSP_RESPONSE *response = answer(responder, request);
		unsigned char *der = NULL;
		int length = i2d_OCSP_RESPONSE(response, &der);
		dprintf(fd,
			"HTTP/1.0 200 OK\r\nContent-Type: application/ocsp-response\r\n"
			"Content-Length: %d\r\n\r\n",
			length);
		(void)!write(fd, der, (size_t)length);
		OPENSSL_free(der);
		OCSP_RESPONSE_free(response);
	}
	OCSP_REQUEST_free(request);
}

static void *run(void *argument)
{
	struct responder *responder = argument;
	int held[64], holding = 0, fd;
	while ((fd = accept(responder->listener, NULL, NULL)) >= 0) {
		if (atomic_load(&responder->mood) == RESPONDER_SILENT && holding < 64) {
			atomic_fetch_add(&responder->asked, 1);
			held[holding++] = fd;
			continue;
		}
		serve(responder, fd);
		close(fd);
	}
	while (holding > 0)
		close(held[--holding]);
	return NULL;
}

void responder_start(struct responder *responder, const struct pki *ca, const struct pki *signer)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	*responder = (struct responder){.ca = ca, .signer = signer};
	responder->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(bind(responder->listener, (struct sockaddr *)&address, length) == 0, "bind");
	must(listen(responder->listener, 64) == 0, "listen");
	getsockname(responder->listener, (struct sockaddr *)&address, &length);
	snprintf(responder->url, sizeof(responder->url), "http://127.0.0.1:%u/ocsp",
		 ntohs(address.sin_port));
	must(pthread_create(&responder->thread, NULL, run, responder) == 0, "thread");
}

void responder_stop(struct responder *responder)
{
	shutdown(responder->listener, SHUT_RDWR);
	pthread_join(responder->thread, NULL);
	close(responder->listener);
}
