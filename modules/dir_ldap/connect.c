#include "connect.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "core/once.h"
#include "core/reserve.h"
#include "core/secret.h"
#include "directory/filter.h"
#include "wipe.h"

#define SYSTEM_STORE "/etc/ssl/certs/ca-certificates.crt"
#define ANSWER_MOST  (8u << 20) /* octets of one message */
#define CONNECTION_ROOM ((size_t)1 << 20)
/* LDAP_CAP_ACTIVE_DIRECTORY_OID ([MS-ADTS] 3.1.1.3.4.3.1): such a server has the in-chain rule. */
#define CAPABILITY_AD "1.2.840.113556.1.4.800"

static bool initialize(void)
{
	LDAP *handle = NULL;
	/* Reads its own configuration and fills its global options: not safe in two threads at
	 * once. */
	if (ldap_initialize(&handle, "ldap://127.0.0.1") != LDAP_SUCCESS) {
		errno = ENOMEM; /* and not that there is no ldaprc */
		return false;
	}
	ldap_unbind_ext(handle, NULL, NULL);
	return true;
}

bool connection_prepare(void)
{
	static struct rg_once once = RG_ONCE;
	return once_made(&once, initialize);
}

static struct timeval connect_time(const struct rg_connect *connect)
{
	int64_t ms = connect->settings->timeout_ms;
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

static enum rg_connected failed(struct rg_connect *connect, const char *step, int code)
{
	char *text = NULL;
	if (connect->handle)
		ldap_get_option(connect->handle, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text);
	const char *more = text ? text : "";
	/* What libldap says of a certificate that names another host. */
	if (strcmp(more, "(unknown error code)") == 0)
		more = "its certificate is for another name";
	snprintf(connect->why, sizeof(connect->why), "%s: %s%s%.80s%s", step, ldap_err2string(code),
		 *more ? " (" : "", more, *more ? ")" : "");
	ldap_memfree(text);
	return RG_CONNECT_FAILED;
}

static bool set_tls(struct rg_connect *connect)
{
	LDAP *handle = connect->handle;
	const char *ca = connect->settings->ca;
	const int hard = LDAP_OPT_X_TLS_HARD, client = 0;
	const int least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	bool good = true;
	if (ca) {
		/* Whatever ldap.conf trusts: this CA and no other. */
		good = ldap_set_option(handle, LDAP_OPT_X_TLS_CACERTDIR, NULL) == LDAP_OPT_SUCCESS;
	} else {
		char *already = NULL;
		ldap_get_option(handle, LDAP_OPT_X_TLS_CACERTFILE, &already);
		ca = already ? NULL : SYSTEM_STORE;
		ldap_memfree(already);
	}
	if (ca)
		good &= ldap_set_option(handle, LDAP_OPT_X_TLS_CACERTFILE, ca) == LDAP_OPT_SUCCESS;
	/* HARD checks the chain and the server's name too (RFC 4513 §3.1.3). */
	good &= ldap_set_option(handle, LDAP_OPT_X_TLS_REQUIRE_CERT, &hard) == LDAP_OPT_SUCCESS;
	good &= ldap_set_option(handle, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least) == LDAP_OPT_SUCCESS;
	good &= ldap_set_option(handle, LDAP_OPT_X_TLS_NEWCTX, &client) == LDAP_OPT_SUCCESS;
	return good;
}

/* With a network timeout libldap 2.5 polls without pause, and without end, for a server that is
 * silent in the TLS handshake. Without one its socket blocks, until it is shut down. */
static int on_connected(LDAP *handle, Sockbuf *sockbuf, LDAPURLDesc *url, struct sockaddr *address,
			struct ldap_conncb *callback)
{
	struct rg_connect *connect = callback->lc_arg;
	const struct timeval none = {-1, 0};
	int fd = -1;
	(void)url;
	(void)address;
	connect->reached = true;
	ldap_set_option(handle, LDAP_OPT_NETWORK_TIMEOUT, &none); /* NULL would change nothing */
	ber_sockbuf_ctrl(sockbuf, LBER_SB_OPT_GET_FD, &fd);
	connect->connected(connect, fd);
	return LDAP_SUCCESS;
}

static void on_disconnected(LDAP *handle, Sockbuf *sockbuf, struct ldap_conncb *callback)
{
	(void)handle;
	(void)sockbuf;
	(void)callback;
}

static bool set_options(struct rg_connect *connect)
{
	LDAP *handle = connect->handle;
	const int version = LDAP_VERSION3, deref = LDAP_DEREF_NEVER;
	const int idle = 60, probes = 3, interval = 10;
	struct timeval limit = connect_time(connect);
	ldap_set_option(handle, LDAP_OPT_X_KEEPALIVE_IDLE, &idle);
	ldap_set_option(handle, LDAP_OPT_X_KEEPALIVE_PROBES, &probes);
	ldap_set_option(handle, LDAP_OPT_X_KEEPALIVE_INTERVAL, &interval);
	ldap_set_option(handle, LDAP_OPT_RESTART, LDAP_OPT_ON);
	connect->callback = (struct ldap_conncb){on_connected, on_disconnected, connect};
	return ldap_set_option(handle, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(handle, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(handle, LDAP_OPT_DEREF, &deref) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(handle, LDAP_OPT_CONNECT_CB, &connect->callback) ==
		       LDAP_OPT_SUCCESS &&
	       ldap_set_option(handle, LDAP_OPT_NETWORK_TIMEOUT, &limit) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(handle, LDAP_OPT_TIMEOUT, &limit) == LDAP_OPT_SUCCESS;
}

static enum rg_connected bind_service(struct rg_connect *connect)
{
	const struct rg_secret *secret = connect->settings->bind_password;
	const char *dn = connect->settings->bind_dn;
	struct berval password = {
		.bv_len = secret ? secret->length : 0,
		.bv_val = secret ? (char *)secret->data : NULL,
	};
	struct timeval limit = connect_time(connect);
	LDAPMessage *result = NULL;
	char *text = NULL;
	int id, code, outcome = LDAP_OTHER;
	code = ldap_sasl_bind(connect->handle, dn, LDAP_SASL_SIMPLE, &password, NULL, NULL, &id);
	if (code != LDAP_SUCCESS)
		return failed(connect, "bind", code);
	code = ldap_result(connect->handle, id, LDAP_MSG_ALL, &limit, &result);
	if (code <= 0)
		return failed(connect, "bind", code == 0 ? LDAP_TIMEOUT : LDAP_SERVER_DOWN);
	code = ldap_parse_result(connect->handle, result, &outcome, NULL, &text, NULL, NULL, 1);
	if (code != LDAP_SUCCESS)
		outcome = code;
	if (outcome != LDAP_SUCCESS)
		snprintf(connect->why, sizeof(connect->why), "bind as %.70s: %s%s%.40s", dn,
			 ldap_err2string(outcome), text && *text ? ": " : "", text ? text : "");
	ldap_memfree(text);
	return outcome == LDAP_SUCCESS ? RG_CONNECTED : RG_CONNECT_FAILED;
}

static bool server_knows_chain(struct rg_connect *connect)
{
	char name[] = "supportedCapabilities";
	char *attributes[] = {name, NULL};
	LDAPMessage *result = NULL;
	struct timeval limit = connect_time(connect);
	bool found = false;
	int code = ldap_search_ext_s(connect->handle, "", LDAP_SCOPE_BASE, "(objectClass=*)",
				     attributes, 0, NULL, NULL, &limit, 1, &result);
	LDAPMessage *entry =
		code == LDAP_SUCCESS ? ldap_first_entry(connect->handle, result) : NULL;
	struct berval **values = entry ? ldap_get_values_len(connect->handle, entry, name) : NULL;
	for (size_t i = 0; values && values[i]; i++)
		if (span_equal(span_of(values[i]->bv_val, values[i]->bv_len),
			       span_text(CAPABILITY_AD)))
			found = true;
	ldap_value_free_len(values);
	ldap_msgfree(result);
	return found;
}

static bool wants_chain(const struct rg_connect *connect)
{
	const struct rg_lookup_groups *groups = lookup_groups(&connect->settings->lookup);
	return groups->present && groups->nested == RG_NESTED_AUTO;
}

static enum rg_connected make_steps(struct rg_connect *connect)
{
	/* libldap, and GnuTLS for it, do not look whether malloc gave them what a connection takes. */
	if (!memory_is_there(CONNECTION_ROOM))
		return failed(connect, "memory", LDAP_NO_MEMORY);
	bool ldaps = strncasecmp(connect->uri, "ldaps:", 6) == 0;
	bool starttls = connect->settings->starttls && strncasecmp(connect->uri, "ldap:", 5) == 0;
	int code = ldap_initialize(&connect->handle, connect->uri);
	if (code != LDAP_SUCCESS)
		return failed(connect, "URI", code);
	if (!set_options(connect))
		return failed(connect, "options", LDAP_LOCAL_ERROR);
	if ((ldaps || starttls) && !set_tls(connect))
		return failed(connect, "CA", LDAP_LOCAL_ERROR);
	code = ldap_connect(connect->handle);
	if (code != LDAP_SUCCESS)
		return failed(connect, connect->reached ? "TLS" : "connect", code);
	if (starttls && (code = ldap_start_tls_s(connect->handle, NULL, NULL)) != LDAP_SUCCESS)
		return failed(connect, "StartTLS", code);
	if (atomic_load(connect->stop))
		return failed(connect, "stopped", LDAP_USER_CANCELLED);
	if (connect->for_people)
		return wipe_requests(connect->handle) ? RG_CONNECTED
						      : failed(connect, "socket", LDAP_LOCAL_ERROR);
	const char *dn = connect->settings->bind_dn;
	enum rg_connected bound = dn && *dn ? bind_service(connect) : RG_CONNECTED;
	if (bound != RG_CONNECTED)
		return bound;
	connect->in_chain = wants_chain(connect) && server_knows_chain(connect);
	return RG_CONNECTED;
}

/* Fewer system calls for searches. Reading ahead is below TLS: without it each record costs two, one for its header. */
static bool save_calls(struct rg_connect *connect)
{
	if (connect->for_people)
		return true;
	connect->gather = gather_requests(connect->sockbuf);
	return connect->gather &&
	       ber_sockbuf_add_io(connect->sockbuf, &ber_sockbuf_io_readahead,
				  LBER_SBIOD_LEVEL_PROVIDER, NULL) == 0;
}

enum rg_connected connection_make(struct rg_connect *connect)
{
	connect->handle = NULL;
	connect->sockbuf = NULL;
	connect->gather = NULL;
	connect->fd = -1;
	connect->reached = false;
	enum rg_connected result = make_steps(connect);
	if (result == RG_CONNECTED) {
		ber_len_t most = ANSWER_MOST;
		/* "Getting" it takes it off the handle, which outlives it. */
		ldap_get_option(connect->handle, LDAP_OPT_CONNECT_CB, &connect->callback);
		ldap_get_option(connect->handle, LDAP_OPT_SOCKBUF, &connect->sockbuf);
		ldap_get_option(connect->handle, LDAP_OPT_DESC, &connect->fd);
		int flags = connect->fd < 0 ? -1 : fcntl(connect->fd, F_GETFL);
		if (!connect->sockbuf || flags < 0 ||
		    fcntl(connect->fd, F_SETFL, flags | O_NONBLOCK) != 0 || !save_calls(connect))
			result = failed(connect, "socket", LDAP_LOCAL_ERROR);
		else
			ber_sockbuf_ctrl(connect->sockbuf, LBER_SB_OPT_SET_MAX_INCOMING, &most);
	}
	if (result != RG_CONNECTED && connect->handle) {
		ldap_unbind_ext(connect->handle, NULL, NULL);
		connect->handle = NULL;
	}
	return result;
}
