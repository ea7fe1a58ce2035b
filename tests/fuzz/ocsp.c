/* What an OCSP responder says (RFC 6960): any octets over HTTP, any octets as an answer, and
 * answers that are right but for what the input wants otherwise. Good or revoked is only what the
 * issuer, or whom it delegated to, says of that certificate and now. */
#include "fuzz.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "eap/tls_ocsp.h"

enum signer { ISSUER, DELEGATE, NO_DELEGATE, NAMESAKE, SIGNERS };
enum times { NOW, NOW_WITHOUT_NEXT, ENDED, TO_COME, OLD_WITHOUT_NEXT, TIMES };
enum about { THIS, ANOTHER, ANOTHER_ISSUER, ABOUTS };
enum nonce { SAME, NONE, OTHER, NONCES };

#define KINDS (SIGNERS * TIMES * ABOUTS * NONCES * 3u)

static X509 *certificate, *other, *signers[SIGNERS];
static EVP_PKEY *keys[SIGNERS];
static OCSP_REQUEST *question;
static struct rg_span
	answers[KINDS];       /* as they are asked for: to sign costs more than all the rest */
static struct rg_span heard;  /* what the responder says once somebody calls it */
static int responder_fd = -1; /* its end */

static X509 *certificate_new(const char *cn, long serial, EVP_PKEY *key, X509 *issuer,
			     EVP_PKEY *issuer_key, bool delegate)
{
	X509 *made = X509_new();
	X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
				   (const uint8_t *)cn, -1, -1, 0);
	X509_set_issuer_name(made, X509_get_subject_name(issuer ? issuer : made));
	ASN1_INTEGER_set(X509_get_serialNumber(made), serial);
	X509_set_version(made, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(made), -86400);
	X509_gmtime_adj(X509_getm_notAfter(made), 400L * 86400);
	X509_EXTENSION *use = X509V3_EXT_conf_nid(
		NULL, NULL, delegate ? NID_ext_key_usage : NID_basic_constraints,
		delegate ? "OCSPSigning"
		: issuer ? "CA:FALSE"
			 : "CA:TRUE");
	MUST(use && X509_add_ext(made, use, -1));
	X509_EXTENSION_free(use);
	MUST(X509_set_pubkey(made, key) && X509_sign(made, issuer_key, EVP_sha256()) > 0);
	return made;
}

static void set_up(void)
{
	if (certificate)
		return;
	signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 0; i < SIGNERS; i++)
		MUST((keys[i] = EVP_RSA_gen(1024)));
	X509 *issuer = certificate_new("CA", 1, keys[ISSUER], NULL, keys[ISSUER], false);
	signers[ISSUER] = issuer;
	signers[DELEGATE] = certificate_new("OCSP", 2, keys[DELEGATE], issuer, keys[ISSUER], true);
	signers[NO_DELEGATE] =
		certificate_new("host", 3, keys[NO_DELEGATE], issuer, keys[ISSUER], false);
	signers[NAMESAKE] = certificate_new("CA", 1, keys[NAMESAKE], NULL, keys[NAMESAKE], false);
	certificate = certificate_new("jan", 77, keys[NO_DELEGATE], issuer, keys[ISSUER], false);
	other = certificate_new("piet", 78, keys[NO_DELEGATE], issuer, keys[ISSUER], false);
	question = OCSP_REQUEST_new();
	MUST(question &&
	     OCSP_request_add0_id(question, OCSP_cert_to_id(NULL, certificate, issuer)));
	MUST(OCSP_request_add1_nonce(question, (unsigned char *)"sixteen octets..", 16));
}

/* The responder's address, and the way there: both are here. */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		struct addrinfo **found)
{
	static struct sockaddr_in address = {.sin_family = AF_INET};
	static struct addrinfo only = {.ai_family = AF_INET,
				       .ai_socktype = SOCK_STREAM,
				       .ai_addrlen = sizeof(address),
				       .ai_addr = (struct sockaddr *)&address};
	MUST(host && port && hints);
	*found = &only;
	return 0;
}

void freeaddrinfo(struct addrinfo *found)
{
	(void)found;
}

int socket(int domain, int type, int protocol)
{
	int ends[2];
	(void)domain;
	(void)protocol;
	MUST(socketpair(AF_UNIX, type, 0, ends) == 0);
	MUST(write(ends[1], heard.data, heard.length) == (ssize_t)heard.length);
	MUST(shutdown(ends[1], SHUT_WR) == 0);
	responder_fd = ends[1];
	return ends[0];
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	(void)fd;
	(void)address;
	(void)length;
	return 0;
}

static void one_line(const char *why)
{
	MUST(why[0] && strlen(why) < RG_OCSP_DETAIL);
	for (; *why; why++)
		MUST((uint8_t)*why >= 0x20 && (uint8_t)*why < 0x7f);
}

static enum rg_revocation judge(OCSP_RESPONSE *response)
{
	char why[RG_OCSP_DETAIL] = "";
	time_t until = 1, now = time(NULL);
	enum rg_revocation outcome =
		ocsp_judge(response, question, certificate, signers[ISSUER], &until, why);
	one_line(why);
	MUST(until == 0 || (outcome != RG_REVOCATION_UNAVAILABLE && until >= now - 301));
	return outcome;
}

/* Nobody who has not the issuer's key says anything that counts. */
static void any_answer(struct rg_span octets)
{
	const uint8_t *at = octets.data;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)octets.length);
	if (response)
		MUST(judge(response) == RG_REVOCATION_UNAVAILABLE);
	OCSP_RESPONSE_free(response);
}

/* The responder sends that and closes. */
static void any_http(struct rg_span octets)
{
	static int stop[2];
	struct rg_ocsp_responder responder;
	char why[RG_OCSP_DETAIL] = "", asked[2048];
	if (stop[1] == 0)
		MUST(pipe(stop) == 0);
	MUST(ocsp_responder_parse(&responder, "http://192.0.2.1/ocsp"));
	heard = octets;
	OCSP_RESPONSE *response =
		ocsp_exchange(&responder, question, clock_now() + 5 * RG_SECOND, stop[0], why);
	if (response)
		MUST(judge(response) == RG_REVOCATION_UNAVAILABLE);
	else
		one_line(why);
	OCSP_RESPONSE_free(response);
	/* It was asked once, and nobody holds on to the connection. */
	ssize_t length = read(responder_fd, asked, sizeof(asked) - 1);
	MUST(length > 0 && length < (ssize_t)sizeof(asked) - 1);
	asked[length] = '\0';
	MUST(strncmp(asked, "POST /ocsp HTTP/1.0\r\n", 21) == 0);
	MUST(read(responder_fd, asked, 1) == 0 || errno == ECONNRESET);
	close(responder_fd);
}

/* What such a responder would say. */
static struct rg_span answer_new(enum signer signer, enum times times, enum about about,
				 enum nonce nonce, int status)
{
	static const struct {
		long this_update, next_update; /* seconds from now; 0: none */
	} when[TIMES] = {[NOW] = {-600, 86400},
			 [NOW_WITHOUT_NEXT] = {-600, 0},
			 [ENDED] = {-7200, -3600},
			 [TO_COME] = {36000, 86400},
			 [OLD_WITHOUT_NEXT] = {-100000, 0}};
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, about == ANOTHER ? other : certificate,
					  signers[about == ANOTHER_ISSUER ? DELEGATE : ISSUER]);
	ASN1_TIME *revoked = X509_gmtime_adj(NULL, -3600);
	ASN1_TIME *this_update = X509_gmtime_adj(NULL, when[times].this_update);
	ASN1_TIME *next_update =
		when[times].next_update ? X509_gmtime_adj(NULL, when[times].next_update) : NULL;
	MUST(OCSP_basic_add1_status(basic, id, status, OCSP_REVOKED_STATUS_KEYCOMPROMISE, revoked,
				    this_update, next_update));
	if (nonce != NONE)
		MUST(OCSP_basic_add1_nonce(
			basic,
			(unsigned char *)(nonce == SAME ? "sixteen octets.." : "of sixteen octet"),
			16));
	MUST(OCSP_basic_sign(basic, signers[signer], keys[signer], EVP_sha256(), NULL, 0));
	OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	uint8_t *der = NULL;
	int length = i2d_OCSP_RESPONSE(response, &der);
	MUST(length > 0);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(revoked);
	ASN1_TIME_free(this_update);
	ASN1_TIME_free(next_update);
	return span_of(der, (size_t)length);
}

/* One that is right but for what the input wants; and then with one bit turned. */
static void made_answer(struct rg_cursor *cursor)
{
	static uint8_t copy[4096];
	enum signer signer = cursor_u8(cursor) % SIGNERS;
	enum times times = cursor_u8(cursor) % TIMES;
	enum about about = cursor_u8(cursor) % ABOUTS;
	enum nonce nonce = cursor_u8(cursor) % NONCES;
	int status = cursor_u8(cursor) % 3;
	size_t kind = (((signer * TIMES + times) * ABOUTS + about) * NONCES + nonce) * 3u +
		      (unsigned)status;
	enum rg_revocation right = RG_REVOCATION_UNAVAILABLE;
	if ((signer == ISSUER || signer == DELEGATE) &&
	    (times == NOW || times == NOW_WITHOUT_NEXT) && about == THIS && nonce != OTHER)
		right = status == V_OCSP_CERTSTATUS_GOOD      ? RG_REVOCATION_GOOD
			: status == V_OCSP_CERTSTATUS_REVOKED ? RG_REVOCATION_REVOKED
							      : RG_REVOCATION_UNAVAILABLE;
	if (!answers[kind].data)
		answers[kind] = answer_new(signer, times, about, nonce, status);
	struct rg_span answer = answers[kind];
	MUST(answer.length <= sizeof(copy));
	memcpy(copy, answer.data, answer.length);
	bool turned = cursor_left(cursor) >= 2;
	size_t bit = cursor_u16(cursor) % (8 * answer.length);
	if (turned)
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
	const uint8_t *at = copy;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)answer.length);
	MUST(response || turned);
	if (response) {
		enum rg_revocation outcome = judge(response);
		MUST(outcome == right || (turned && outcome == RG_REVOCATION_UNAVAILABLE));
	}
	OCSP_RESPONSE_free(response);
}

/* Where a certificate says that its responder is. What is made of it stands in a request's first
 * lines. */
static void any_url(struct rg_span text)
{
	struct rg_ocsp_responder responder;
	char url[512];
	if (text.length >= sizeof(url))
		return;
	if (text.length)
		memcpy(url, text.data, text.length);
	url[text.length] = '\0';
	if (!ocsp_responder_parse(&responder, url))
		return;
	MUST(responder.host[0] && responder.port[0] && responder.path[0] == '/');
	for (const char *at = responder.host; *at; at++)
		MUST((uint8_t)*at > 0x20 && (uint8_t)*at < 0x7f);
	for (const char *at = responder.path; *at; at++)
		MUST((uint8_t)*at > 0x20 && (uint8_t)*at < 0x7f);
	for (const char *at = responder.port; *at; at++)
		MUST(*at >= '0' && *at <= '9');
	one_line(responder.name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	set_up();
	switch (cursor_u8(&cursor) % 4) {
	case 0:
		any_answer(cursor_rest(&cursor));
		break;
	case 1:
		any_http(cursor_rest(&cursor));
		break;
	case 2:
		made_answer(&cursor);
		break;
	case 3:
		any_url(cursor_rest(&cursor));
		break;
	}
	ERR_clear_error();
	return 0;
}
