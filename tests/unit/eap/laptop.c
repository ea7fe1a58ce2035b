#include "laptop.h"

#include <assert.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* cmocka's asserts leave by longjmp; a helper that cannot go on ends the program. */
static void must(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "laptop: %s\n", what);
		ERR_print_errors_fp(stderr);
		abort();
	}
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct laptop *laptop = SSL_get_app_data(ssl);
	SSL_SESSION_free(laptop->session);
	laptop->session = session;
	return 1;
}

void laptop_make(struct laptop *laptop, const struct laptop_settings *settings)
{
	*laptop = (struct laptop){.fragment = settings->fragment ? settings->fragment : 1000};
	laptop->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(laptop->ctx, 0); /* it may show what the server is to refuse */
	SSL_CTX_set_session_cache_mode(laptop->ctx,
				       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(laptop->ctx, keep_session);
	if (settings->version) {
		SSL_CTX_set_min_proto_version(laptop->ctx, settings->version);
		SSL_CTX_set_max_proto_version(laptop->ctx, settings->version);
	}
	if (settings->identity) {
		must(SSL_CTX_use_certificate(laptop->ctx, settings->identity->certificate),
		     "certificate");
		SSL_CTX_use_PrivateKey(laptop->ctx, settings->identity->key);
	}
	for (size_t i = 0; i < 4 && settings->extra[i]; i++)
		must(SSL_CTX_add1_chain_cert(laptop->ctx, settings->extra[i]), "chain");
	if (settings->trusts) {
		X509_STORE_add_cert(SSL_CTX_get_cert_store(laptop->ctx), settings->trusts);
		SSL_CTX_set_verify(laptop->ctx, SSL_VERIFY_PEER, NULL);
	}
	laptop->ssl = SSL_new(laptop->ctx);
	laptop->in = BIO_new(BIO_s_mem());
	laptop->out = BIO_new(BIO_s_mem());
	must(laptop->ssl && laptop->in && laptop->out, "memory");
	BIO_set_mem_eof_return(laptop->in, -1);
	SSL_set_app_data(laptop->ssl, laptop);
	SSL_set_bio(laptop->ssl, laptop->in, laptop->out);
	SSL_set_connect_state(laptop->ssl);
	if (settings->session)
		SSL_set_session(laptop->ssl, settings->session);
	if (settings->tweak)
		settings->tweak(laptop->ssl);
}

void laptop_free(struct laptop *laptop)
{
	SSL_set_shutdown(laptop->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(laptop->ssl);
	SSL_SESSION_free(laptop->session);
	SSL_CTX_free(laptop->ctx);
	free(laptop->pending);
	*laptop = (struct laptop){0};
}

/* RFC 5216 §2.3, RFC 9190 §2.3, from the supplicant's side. */
static void derive(struct laptop *laptop)
{
	static const uint8_t type = 13;
	uint8_t material[128];
	laptop->session_id[0] = type;
	if (SSL_version(laptop->ssl) == TLS1_3_VERSION) {
		must(SSL_export_keying_material(laptop->ssl, material, 128,
						"EXPORTER_EAP_TLS_Key_Material", 29, &type, 1,
						1) == 1,
		     "export");
		must(SSL_export_keying_material(laptop->ssl, laptop->session_id + 1, 64,
						"EXPORTER_EAP_TLS_Method-Id", 26, &type, 1, 1) == 1,
		     "export");
	} else {
		must(SSL_export_keying_material(laptop->ssl, material, 128, "client EAP encryption",
						21, NULL, 0, 0) == 1,
		     "export");
		SSL_get_client_random(laptop->ssl, laptop->session_id + 1, 32);
		SSL_get_server_random(laptop->ssl, laptop->session_id + 33, 32);
	}
	memcpy(laptop->msk, material, 64);
}

static void collect_output(struct laptop *laptop)
{
	size_t length = BIO_ctrl_pending(laptop->out);
	if (length == 0)
		return;
	free(laptop->pending);
	laptop->pending = malloc(length);
	laptop->pending_length = length;
	laptop->sent = 0;
	BIO_read(laptop->out, laptop->pending, (int)length);
}

static void run_tls(struct laptop *laptop)
{
	uint8_t byte[16];
	ERR_clear_error();
	int done = SSL_do_handshake(laptop->ssl);
	if (done != 1) {
		if (SSL_get_error(laptop->ssl, done) != SSL_ERROR_WANT_READ)
			laptop->complained = true;
		return;
	}
	derive(laptop);
	if (SSL_read(laptop->ssl, byte, sizeof(byte)) == 1 && byte[0] == 0)
		laptop->success_indication = true;
}

void laptop_answer(struct laptop *laptop, struct rg_span request, struct rg_buffer *response)
{
	struct rg_cursor cursor = cursor_over(request);
	uint8_t flags = cursor_u8(&cursor);
	if (flags & 0x80)
		cursor_u32(&cursor);
	struct rg_span data = cursor_rest(&cursor);
	must(!cursor.failed, "a broken Request");
	if (data.length)
		BIO_write(laptop->in, data.data, (int)data.length);
	if (flags & 0x40) {
		buffer_u8(response, 0);
		return;
	}
	if (laptop->sent == laptop->pending_length) {
		run_tls(laptop);
		collect_output(laptop);
	}
	size_t left = laptop->pending_length - laptop->sent;
	size_t piece = left < laptop->fragment ? left : laptop->fragment;
	bool first = laptop->sent == 0 && piece < left, more = piece < left;
	buffer_u8(response, (uint8_t)((first ? 0x80 : 0) | (more ? 0x40 : 0)));
	if (first)
		buffer_u32(response, (uint32_t)laptop->pending_length);
	if (piece)
		buffer_put(response, span_of(laptop->pending + laptop->sent, piece));
	laptop->sent += piece;
}

static uint64_t cpu_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void note_proof(struct result *result, const struct rg_proof *proof)
{
	if (!proof)
		return;
	result->resumed = proof->resumed;
	result->knows_issuer = proof->issuer;
	snprintf(result->identity, sizeof(result->identity), "%s",
		 proof->identity ? proof->identity : "");
	snprintf(result->subject, sizeof(result->subject), "%s", proof->subject);
	snprintf(result->version, sizeof(result->version), "%s",
		 proof->tls_version ? proof->tls_version : "");
}

struct result sign_in(struct rg_tls_context *context, const struct laptop_settings *settings,
		      const struct how *how)
{
	const struct rg_eap_method *eap = roamgate_module.ops.eap;
	struct result result = {.verdict = RG_EAP_REQUEST};
	struct laptop laptop;
	laptop_make(&laptop, settings);
	static _Thread_local uint8_t to_peer[4096], to_server[70000];
	struct rg_buffer output = buffer_over(to_peer, sizeof(to_peer));
	struct rg_buffer response = buffer_over(to_server, sizeof(to_server));
	struct rg_eap_step step = {.output = &output,
				   .room = settings->room ? settings->room : 1400};
	struct rg_eap_start start = {.tls = context,
				     .fragment = 1024,
				     .realm = how && how->realm ? how->realm
							       : "beuningen.nl"};
	struct rg_eap_keys keys;

	uint64_t began = cpu_ns();
	void *method = eap->start(&start);
	must(method, "no method");
	result.verdict = eap->begin(method, &step);
	result.server_ns += cpu_ns() - began;
	while (result.verdict == RG_EAP_REQUEST && result.rounds < 400) {
		must(output.length <= step.room && !output.failed, "a Request beyond its room");
		if (output.length > result.largest_request)
			result.largest_request = output.length;
		response.length = 0;
		laptop_answer(&laptop, buffer_span(&output), &response);
		result.rounds++;
		output.length = 0;
		step.input = buffer_span(&response);
		began = cpu_ns();
		result.verdict = eap->respond(method, &step);
		result.server_ns += cpu_ns() - began;
		if (result.verdict != RG_EAP_PROVEN)
			continue;
		must(output.length == 0, "PROVEN with output");
		result.requests_before_granted = result.rounds;
		note_proof(&result, eap->proof(method));
		if (how && how->refuse) {
			result.verdict = RG_EAP_FAILURE;
			break;
		}
		result.granted = true;
		began = cpu_ns();
		result.verdict = eap->granted(method, &step);
		result.server_ns += cpu_ns() - began;
	}
	result.reason = step.reason;
	snprintf(result.detail, sizeof(result.detail), "%s", step.detail ? step.detail : "");
	result.success_indication = laptop.success_indication;
	began = cpu_ns();
	if (result.verdict == RG_EAP_SUCCESS) {
		result.keys_match = eap->keys(method, &keys) &&
				    memcmp(keys.msk, laptop.msk, 64) == 0 &&
				    keys.session_id_length == 65 &&
				    memcmp(keys.session_id, laptop.session_id, 65) == 0;
		if (!how || !how->forget)
			eap->accepted(method);
	} else if (!how || !how->refuse) {
		const struct rg_proof *proof = eap->proof(method);
		result.failure_had_certificate = proof && proof->x509;
		note_proof(&result, proof);
	}
	eap->end(&method);
	result.server_ns += cpu_ns() - began;
	must(method == NULL, "end leaves its pointer");
	result.session = laptop.session;
	laptop.session = NULL;
	laptop_free(&laptop);
	return result;
}

void result_free(struct result *result)
{
	SSL_SESSION_free(result->session);
	result->session = NULL;
}
