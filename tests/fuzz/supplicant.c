/* `roamgate test` against a server that says anything: octets, EAP, and TLS that is OpenSSL's up to
 * what is said inside the tunnel. Accepted is only who met a server that finished its handshake and
 * gave the right keys; the password is said to nobody in the clear; every request is a good one. */
#include "fuzz.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "radius/writer.h"
#include "supplicant/supplicant.h"

#define PASSWORD   "a password that nobody else has"
#define STEPS_MOST 40
#define PROFILES   4

static SSL_CTX *context;
static struct rg_supplicant_profile *profiles[PROFILES];
static struct rg_radius_key *key;

static struct play {
	struct rg_cursor script;
	struct rg_supplicant *supplicant;
	enum rg_supplicant_state state;
	uint8_t type; /* of its EAP method */
	SSL *ssl;     /* the server's */
	BIO *in, *out;
	uint8_t id, eap_id;
	uint8_t authenticator[RG_AUTHENTICATOR]; /* of the request that is out */
	bool honest_keys, accepts;               /* what the reply under way says */
	uint8_t heard[RG_RADIUS_MOST];           /* the EAP-Response that was heard last */
	size_t heard_length;
} play;

static SSL_CTX *context_new(void)
{
	SSL_CTX *made = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	MUST(made && pkey && certificate);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	MUST(X509_set_pubkey(certificate, pkey) && X509_sign(certificate, pkey, EVP_sha256()) > 0);
	MUST(SSL_CTX_use_certificate(made, certificate) == 1 &&
	     SSL_CTX_use_PrivateKey(made, pkey) == 1);
	SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
	X509_free(certificate);
	EVP_PKEY_free(pkey);
	return made;
}

static void set_up(void)
{
	static const struct {
		const char *method, *inner;
	} kinds[PROFILES] = {
		{"ttls", "pap"}, {"ttls", "eap-mschapv2"}, {"peap", NULL}, {"peap", "gtc"}};
	char why[256];
	if (context)
		return;
	context = context_new();
	key = radius_key_new(span_text("geheim van niemand"));
	for (unsigned i = 0; i < PROFILES; i++) {
		const struct rg_supplicant_settings settings = {
			.method = kinds[i].method,
			.inner = kinds[i].inner,
			.identity = "jan@beuningen.nl",
			.password = span_text(PASSWORD),
		};
		profiles[i] = supplicant_profile_new(&settings, why);
		MUST(profiles[i]);
	}
}

static void begin(void)
{
	uint8_t how = cursor_u8(&play.script);
	const struct rg_supplicant_identity identity = {
		.outer = "anonymous@beuningen.nl",
		.calling = "00-1A-2B-3C-4D-5E",
		.called = "00-00-00-00-00-01:govroam",
		.framed_mtu = how & 0x10 ? 0 : 40u + (how >> 5) * 200u,
	};
	play.type = (how & 3) < 2 ? 21 : 25;
	play.supplicant = supplicant_new(profiles[how & 3], &identity, key);
	play.state = RG_SUPPLICANT_SEND;
	play.ssl = SSL_new(context);
	play.in = BIO_new(BIO_s_mem());
	play.out = BIO_new(BIO_s_mem());
	MUST(play.supplicant && play.ssl && play.in && play.out);
	SSL_set_bio(play.ssl, play.in, play.out);
	SSL_set_accept_state(play.ssl);
	if (how & 8)
		SSL_set_max_proto_version(play.ssl, TLS1_2_VERSION);
	play.id = play.eap_id = 0;
	play.heard_length = 0;
}

/* TLS that came. Nothing is made of it before the server has TLS to say: most servers here never
 * have, and a handshake takes longer than all else together. */
static void server_hear(struct rg_span typedata)
{
	struct rg_cursor cursor = cursor_over(typedata);
	if (cursor_u8(&cursor) & 0x80)
		cursor_u32(&cursor);
	struct rg_span tls = cursor_rest(&cursor);
	if (tls.length)
		BIO_write(play.in, tls.data, (int)tls.length);
}

/* The handshake goes on, and what is said inside is heard. */
static void server_go_on(void)
{
	uint8_t memory[4096];
	if (!SSL_is_init_finished(play.ssl))
		SSL_do_handshake(play.ssl);
	while (SSL_is_init_finished(play.ssl) && SSL_read(play.ssl, memory, sizeof(memory)) > 0)
		;
	ERR_clear_error();
}

/* The next Access-Request. */
static void hear_request(void)
{
	uint8_t memory[RG_RADIUS_MOST];
	struct rg_buffer eap = buffer_over(memory, sizeof(memory));
	struct rg_packet packet;
	struct rg_span request = supplicant_request(play.supplicant, ++play.id);
	MUST(request.length != 0 && packet_view(&packet, request) == RG_PACKET_OK);
	MUST(packet.code == RG_ACCESS_REQUEST && packet.token == play.id);
	MUST(request_verify(&packet, key) == RG_AUTHENTIC && packet_eap(&packet, &eap));
	MUST(!memmem(request.data, request.length, PASSWORD, strlen(PASSWORD)));
	MUST(span_equal(supplicant_request(play.supplicant, play.id), request));
	memcpy(play.authenticator, packet_authenticator(&packet), RG_AUTHENTICATOR);
	struct rg_cursor cursor = cursor_over(buffer_span(&eap));
	uint8_t code = cursor_u8(&cursor);
	cursor_u8(&cursor);
	MUST(code == 2 && cursor_u16(&cursor) == eap.length && eap.length <= 1400);
	bool repeated = span_equal(buffer_span(&eap), span_of(play.heard, play.heard_length));
	if (cursor_u8(&cursor) == play.type && !repeated)
		server_hear(cursor_rest(&cursor));
	memcpy(play.heard, eap.data, eap.length);
	play.heard_length = eap.length;
}

/* EAP of the server's, in EAP-Message. */
static void put_eap(struct rg_writer *writer, uint8_t code, uint8_t type, struct rg_span typedata)
{
	uint8_t memory[3000];
	struct rg_buffer eap = buffer_over(memory, sizeof(memory));
	bool bare = code > 2;
	buffer_u8(&eap, code);
	buffer_u8(&eap, ++play.eap_id);
	buffer_u16(&eap, (uint16_t)(bare ? 4 : 5 + typedata.length));
	if (!bare) {
		buffer_u8(&eap, type);
		buffer_put(&eap, typedata);
	}
	if (!eap.failed)
		writer_add_eap(writer, buffer_span(&eap));
}

/* What the server's TLS has to say: all of it, or a fragment. */
static void put_tls(struct rg_writer *writer, struct rg_span size)
{
	uint8_t memory[2600];
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	server_go_on();
	size_t waiting = BIO_ctrl_pending(play.out);
	size_t most = size.length ? 1 + size.data[0] * 8u : 2500;
	size_t length = waiting < most ? waiting : most;
	buffer_u8(&out, length < waiting ? 0x40 : 0);
	uint8_t *room = buffer_room(&out, length);
	if (room && length)
		BIO_read(play.out, room, (int)length);
	put_eap(writer, 1, play.type, buffer_span(&out));
}

/* Accept: with the keys of this session, or with others, or none. */
static void put_keys(struct rg_writer *writer, uint8_t how)
{
	const char *label = SSL_version(play.ssl) == TLS1_3_VERSION
				    ? "EXPORTER_EAP_TLS_Key_Material"
			    : play.type == 21 ? "ttls keying material"
					      : "client EAP encryption";
	uint8_t msk[128] = {0};
	bool is_1_3 = SSL_version(play.ssl) == TLS1_3_VERSION;
	if (SSL_is_init_finished(play.ssl))
		SSL_export_keying_material(play.ssl, msk, sizeof(msk), label, strlen(label),
					   &play.type, 1, is_1_3);
	msk[0] ^= how >> 5 & 1;
	play.honest_keys = !(how & 0x20);
	if (how & 0x40)
		writer_add_mppe(writer, msk, play.authenticator);
}

static void put_raw(struct rg_writer *writer, struct rg_span attributes)
{
	struct rg_cursor cursor = cursor_over(attributes);
	while (cursor_left(&cursor) != 0) {
		uint8_t type = cursor_u8(&cursor);
		struct rg_span value = piece_next(&cursor);
		if (type != 0 && type != RG_MESSAGE_AUTHENTICATOR && value.length <= 253)
			writer_add(writer, type, value);
	}
}

static void say(uint8_t how, struct rg_span piece)
{
	static const uint8_t start[] = {0x20};
	uint8_t memory[RG_RADIUS_MOST];
	struct rg_writer writer;
	bool ends = (how & 7) == 5, ignored;
	uint8_t code =
		ends ? (how & 0x10 ? RG_ACCESS_REJECT : RG_ACCESS_ACCEPT) : RG_ACCESS_CHALLENGE;
	uint8_t eap = code == RG_ACCESS_ACCEPT ? 3 : 4;
	play.accepts = play.honest_keys = false;
	writer_begin(&writer, memory, sizeof(memory), code, play.id, key);
	switch (how & 7) {
	case 0: /* any EAP packet, or any attributes */
		if (how & 0x10)
			put_raw(&writer, piece);
		else
			writer_add_eap(&writer, piece);
		break;
	case 1:
		put_eap(&writer, 1 + (how >> 4 & 1), piece.length ? piece.data[0] : 0,
			piece.length ? span_of(piece.data + 1, piece.length - 1) : piece);
		break;
	case 2:
		put_eap(&writer, 1, play.type, piece);
		break;
	case 3:
		put_tls(&writer, piece);
		break;
	case 4:
		server_go_on();
		if (SSL_is_init_finished(play.ssl) && piece.length)
			SSL_write(play.ssl, piece.data, (int)piece.length);
		put_tls(&writer, span_of(NULL, 0));
		break;
	case 5:
		server_go_on();
		play.accepts = code == RG_ACCESS_ACCEPT;
		put_eap(&writer, how & 8 ? 7 - eap : eap, 0, span_of(NULL, 0));
		if (play.accepts)
			put_keys(&writer, how);
		break;
	default:
		put_eap(&writer, 1, play.type, span_of(start, 1));
		break;
	}
	if ((how & 0x18) == 0x18)
		writer_add(&writer, RG_STATE, span_text("of a server"));
	struct rg_span reply = writer_reply(&writer, play.authenticator);
	if (reply.length == 0)
		return;
	if (how & 0x80)
		memory[(how * 31u + piece.length) % reply.length] ^= 1;
	enum rg_supplicant_state before = play.state;
	play.state = supplicant_reply(play.supplicant, reply, &ignored);
	MUST(ignored || !(how & 0x80));
	MUST(!ignored || play.state == before);
	ERR_clear_error();
}

static void one_line(const char *text)
{
	for (; text && *text; text++)
		MUST((uint8_t)*text >= 0x20 && *text != 0x7f);
}

static void judge(void)
{
	const struct rg_supplicant_report *report = supplicant_report(play.supplicant);
	one_line(report->why);
	one_line(report->stage);
	one_line(report->ignored_why);
	one_line(report->server_subject);
	one_line(report->server_issuer);
	one_line(report->server_sans);
	MUST(!report->server_trusted);
	if (play.state == RG_SUPPLICANT_ACCEPTED) {
		MUST(play.accepts && SSL_is_init_finished(play.ssl) && report->reply);
		MUST(play.honest_keys || !report->keys_match);
		MUST(report->method && report->tls && !report->why);
	} else if (play.state != RG_SUPPLICANT_SEND) {
		MUST(report->why && report->why[0]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	set_up();
	play.script = cursor_over(span_of(data, size));
	begin();
	hear_request();
	for (unsigned i = 0;
	     i < STEPS_MOST && play.state == RG_SUPPLICANT_SEND && cursor_left(&play.script) != 0;
	     i++) {
		uint8_t how = cursor_u8(&play.script);
		say(how, piece_next(&play.script));
		if (play.state == RG_SUPPLICANT_SEND)
			hear_request();
	}
	judge();
	supplicant_free(&play.supplicant);
	SSL_free(play.ssl);
	ERR_clear_error();
	return 0;
}
