#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "radius/packet.h"
#include "radius/writer.h"

enum {
	REQUEST = 1,
	RESPONSE = 2,
	SUCCESS = 3,
	FAILURE = 4,
	IDENTITY = 1,
	NAK = 3,
	MD5 = 4,
	TLS = 13
};

static int any_certificate(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static void alert_read(const SSL *ssl, int where, int value)
{
	struct server *server = SSL_get_app_data(ssl);
	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT)
		server->alert_read = value & 0xff;
}

void server_open(struct server *server, const char *folder, const char *certificate,
		 const char *client_ca, int version)
{
	char path[512];
	memset(server, 0, sizeof(*server));
	server->fragment = 1024;
	server->key = radius_key_new(span_text("xyzzy5461xyzzy5461"));
	server->tls = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_min_proto_version(server->tls, version);
	SSL_CTX_set_max_proto_version(server->tls, version);
	SSL_CTX_set_session_id_context(server->tls, (const uint8_t *)"test", 4);
	snprintf(path, sizeof(path), "%s/%s.pem", folder, certificate);
	assert_int_equal(SSL_CTX_use_certificate_chain_file(server->tls, path), 1);
	snprintf(path, sizeof(path), "%s/%s.key", folder, certificate);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(server->tls, path, SSL_FILETYPE_PEM), 1);
	SSL_CTX_set_verify(server->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			   client_ca ? NULL : any_certificate);
	if (client_ca) {
		snprintf(path, sizeof(path), "%s/%s.pem", folder, client_ca);
		assert_int_equal(SSL_CTX_load_verify_file(server->tls, path), 1);
	}
	server_restart(server);
}

void server_restart(struct server *server)
{
	if (server->ssl)
		SSL_set_shutdown(server->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(server->ssl);
	server->ssl = SSL_new(server->tls);
	server->in = BIO_new(BIO_s_mem());
	server->out = BIO_new(BIO_s_mem());
	SSL_set_bio(server->ssl, server->in, server->out);
	SSL_set_app_data(server->ssl, server);
	SSL_set_info_callback(server->ssl, alert_read);
	SSL_set_accept_state(server->ssl);
	server->sending = server->done = false;
	server->alert_read = -1;
	server->rounds = 0;
	server->eap_id = 7;
}

void server_close(struct server *server)
{
	SSL_free(server->ssl);
	SSL_CTX_free(server->tls);
	radius_key_free(&server->key);
}

static struct rg_span reply(struct server *server, const struct rg_packet *request, uint8_t code,
			    struct rg_span eap)
{
	struct rg_writer writer;
	uint8_t msk[64] = {0};
	writer_begin(&writer, server->memory, sizeof(server->memory), code, request->token,
		     server->key);
	writer_add_eap(&writer, eap);
	if (code == RG_ACCESS_CHALLENGE)
		writer_add_u32(&writer, RG_STATE, ++server->rounds);
	if (code == RG_ACCESS_ACCEPT && !server->no_keys) {
		uint8_t type = TLS, material[128] = {0}; /* before the handshake is over */
		if (SSL_version(server->ssl) == TLS1_3_VERSION)
			SSL_export_keying_material(server->ssl, material, 128,
						   "EXPORTER_EAP_TLS_Key_Material", 29, &type, 1,
						   1);
		else
			SSL_export_keying_material(server->ssl, material, 64,
						   "client EAP encryption", 21, NULL, 0, 0);
		memcpy(msk, material, 64);
		msk[63] ^= server->wrong_keys;
		writer_add_mppe(&writer, msk, packet_authenticator(request));
	}
	return writer_reply(&writer, packet_authenticator(request));
}

static struct rg_span end(struct server *server, const struct rg_packet *request, bool accept)
{
	const uint8_t eap[4] = {accept ? SUCCESS : FAILURE, server->eap_id, 0, 4};
	return reply(server, request, accept ? RG_ACCESS_ACCEPT : RG_ACCESS_REJECT,
		     server->bare_accept ? span_of(NULL, 0) : span_of(eap, 4));
}

static struct rg_span ask(struct server *server, const struct rg_packet *request, uint8_t type,
			  struct rg_span data)
{
	uint8_t memory[4096];
	struct rg_buffer eap = buffer_over(memory, sizeof(memory));
	buffer_u8(&eap, REQUEST);
	buffer_u8(&eap, ++server->eap_id);
	buffer_u16(&eap, (uint16_t)(5 + data.length));
	buffer_u8(&eap, type);
	buffer_put(&eap, data);
	return reply(server, request, RG_ACCESS_CHALLENGE, buffer_span(&eap));
}

static struct rg_span flags_only(struct server *server, const struct rg_packet *request,
				 uint8_t flags)
{
	return ask(server, request, TLS, span_of(&flags, 1));
}

/* The next piece of what waits to be sent. */
static struct rg_span piece(struct server *server, const struct rg_packet *request)
{
	uint8_t memory[4096];
	struct rg_buffer data = buffer_over(memory, sizeof(memory));
	size_t waiting = BIO_ctrl_pending(server->out);
	size_t length = waiting < server->fragment ? waiting : server->fragment;
	bool first = !server->sending;
	server->sending = length < waiting;
	buffer_u8(&data, (uint8_t)((first ? 0x80 : 0) | (server->sending ? 0x40 : 0)));
	if (first)
		buffer_u32(&data, (uint32_t)waiting);
	assert_int_equal(BIO_read(server->out, buffer_room(&data, length), (int)length),
			 (int)length);
	return ask(server, request, TLS, buffer_span(&data));
}

/* A whole message of the peer came, or an ACK for the last piece of ours. */
static struct rg_span tls_turn(struct server *server, const struct rg_packet *request, bool message)
{
	uint8_t octet = server->wrong_protected_success;
	if (server->early_success)
		return end(server, request, true);
	if (message) {
		int result = SSL_do_handshake(server->ssl);
		bool v13 = SSL_version(server->ssl) == TLS1_3_VERSION;
		if (result == 1 && !server->done && v13 && !server->no_protected_success)
			assert_int_equal(SSL_write(server->ssl, &octet, 1), 1);
		server->done = result == 1;
	}
	if (BIO_ctrl_pending(server->out) != 0)
		return piece(server, request);
	return end(server, request, server->done && server->alert_read < 0);
}

static struct rg_span tls_response(struct server *server, const struct rg_packet *request,
				   struct rg_cursor *cursor)
{
	uint8_t flags = cursor_u8(cursor);
	if (flags & 0x80)
		cursor_u32(cursor);
	struct rg_span data = cursor_rest(cursor);
	assert_false(cursor->failed);
	if (server->never_ends)
		return flags_only(server, request, 0x40);
	if (server->sending) {
		assert_int_equal(flags, 0);
		assert_int_equal(data.length, 0);
		return piece(server, request);
	}
	if (data.length != 0)
		assert_int_equal(BIO_write(server->in, data.data, (int)data.length),
				 (int)data.length);
	if (flags & 0x40)
		return flags_only(server, request, 0);
	return tls_turn(server, request, data.length != 0);
}

static void check_request(struct server *server, const struct rg_packet *packet)
{
	uint32_t number = 0;
	assert_int_equal(packet->code, RG_ACCESS_REQUEST);
	assert_int_equal(request_verify(packet, server->key), RG_AUTHENTIC);
	assert_int_equal(packet->data[RG_RADIUS_HEADER], RG_MESSAGE_AUTHENTICATOR);
	assert_true(packet_u32(packet, RG_NAS_PORT_TYPE, &number));
	assert_int_equal(number, 19);
	assert_true(packet_u32(packet, RG_SERVICE_TYPE, &number));
	assert_int_equal(number, 2);
	assert_non_null(packet_find(packet, RG_NAS_IDENTIFIER).data);
	struct rg_span name = packet_find(packet, RG_USER_NAME);
	snprintf(server->user_name, sizeof(server->user_name), "%.*s", (int)name.length,
		 (const char *)name.data);
	assert_int_equal(packet_u32(packet, RG_STATE, &number), server->rounds != 0);
	assert_int_equal(number * (server->rounds != 0), server->rounds);
}

struct rg_span server_answer(struct server *server, struct rg_span request)
{
	struct rg_packet packet;
	uint8_t memory[4096];
	struct rg_buffer eap = buffer_over(memory, sizeof(memory));
	assert_int_equal(packet_view(&packet, request), RG_PACKET_OK);
	check_request(server, &packet);
	assert_true(packet_eap(&packet, &eap));
	struct rg_cursor cursor = cursor_over(buffer_span(&eap));
	assert_int_equal(cursor_u8(&cursor), RESPONSE);
	uint8_t id = cursor_u8(&cursor);
	assert_int_equal(cursor_u16(&cursor), eap.length);
	uint8_t type = cursor_u8(&cursor);
	if (type != IDENTITY)
		assert_int_equal(id, server->eap_id);
	if (type == TLS)
		return tls_response(server, &packet, &cursor);
	if (server->refuses_at_once)
		return end(server, &packet, false);
	if (type == IDENTITY && server->offers_first != 0)
		return ask(server, &packet, server->offers_first, span_text("\4abcd"));
	if (type == NAK) {
		assert_int_equal(cursor_u8(&cursor), TLS);
		if (server->offers_nothing_else)
			return end(server, &packet, false);
	}
	return flags_only(server, &packet, 0x20);
}
