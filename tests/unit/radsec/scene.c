#include "scene.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/chores.h"
#include "transport/bind.h"

static bool on_established(void *owner, struct rg_connection *connection, char *refusal)
{
	struct end *end = owner;
	const struct rg_connection_peer *peer = connection_peer(connection);
	end->established++;
	end->connection = connection;
	end->peer = *peer;
	snprintf(end->identity, sizeof(end->identity), "%s",
		 peer->psk_identity ? peer->psk_identity : "");
	snprintf(end->subject, sizeof(end->subject), "%s", peer->subject);
	if (end->names && !connection_bears(connection, end->names, NULL)) {
		snprintf(refusal, 160, "none of its names");
		return false;
	}
	if (end->end_when_established)
		connection_end(connection, RG_CONNECTION_OURS, "enough");
	return true;
}

static bool take_packet(struct end *end, struct rg_connection *connection, struct rg_span packet)
{
	assert_true(packet.length >= 1 && packet.length <= 4096);
	end->packets++;
	end->octets += packet.length;
	memcpy(end->last, packet.data, packet.length);
	end->last_length = packet.length;
	if (end->echo)
		connection_send(connection, packet);
	if (end->end_when_packet)
		connection_end(connection, RG_CONNECTION_OURS, "enough");
	if (end->close_when_packet && *end->close_when_packet)
		radsec_port_close(end->close_when_packet);
	place_flush(&end->scene->place); /* does nothing here */
	assert_int_equal(end->ended, 0);
	return !end->refuse_packets;
}

static bool on_packets(void *owner, struct rg_connection *connection, const struct rg_span *packets,
		       size_t count)
{
	bool fine = true;
	assert_in_range(count, 1, RG_CONNECTION_TOGETHER);
	for (size_t i = 0; i < count && fine && connection_is_open(connection); i++)
		fine = take_packet(owner, connection, packets[i]);
	return fine;
}

static void on_ended(void *owner, struct rg_connection *connection, enum rg_connection_end how,
		     const char *detail)
{
	struct end *end = owner;
	assert_int_equal(end->ended, 0);
	assert_non_null(connection_peer(connection));
	assert_false(connection_is_open(connection));
	assert_false(connection_send(connection, span_of("", 0)));
	connection_end(connection, RG_CONNECTION_OURS, "again");
	end->ended++;
	end->how = how;
	end->connection = NULL;
	snprintf(end->detail, sizeof(end->detail), "%s", detail);
}

static const struct rg_connection_events events = {on_established, on_packets, on_ended};

static bool on_knock(void *owner, const union rg_address *source)
{
	struct scene *scene = owner;
	assert_int_equal(source->any.sa_family, AF_INET);
	scene->knocks++;
	return !scene->nobody_home;
}

static const struct rg_secret *on_psk(void *owner, const union rg_address *source,
				      const char *identity)
{
	struct scene *scene = owner;
	(void)source;
	return scene->identity && strcmp(identity, scene->identity) == 0 ? scene->key : NULL;
}

static void on_arrived(void *owner, struct rg_connection *connection)
{
	struct scene *scene = owner;
	struct end *end = &scene->inside[scene->arrived < 8 ? scene->arrived : 7];
	scene->arrived++;
	if (scene->arrived > 8) {
		connection_own(connection, NULL, NULL);
		return;
	}
	end->connection = connection;
	connection_own(connection, &events, end);
}

static const struct rg_radsec_port_events port_events = {on_knock, on_psk, on_arrived};

static char *written(struct scene *scene, const char *name)
{
	static unsigned number;
	char unique[64];
	snprintf(unique, sizeof(unique), "%u-%s", ++number, name);
	return pki_path(scene->directory, unique);
}

static void credential_forget(struct rg_credential *credential)
{
	free((void *)credential->certificate);
	free((void *)credential->private_key);
	free((void *)credential->ca);
	free((void *)credential->crl);
	*credential = (struct rg_credential){0};
}

void scene_certificate(struct scene *scene, struct rg_credential *credential,
		       const struct pki_want *want)
{
	struct pki_want wanted = *want;
	if (!wanted.issuer)
		wanted.issuer = &scene->ca;
	struct pki leaf = pki_make(&wanted);
	free((void *)credential->certificate);
	free((void *)credential->private_key);
	credential->certificate = written(scene, "cert.pem");
	credential->private_key = written(scene, "key.pem");
	pki_write_certificates(credential->certificate, &leaf.certificate, 1);
	pki_write_key(credential->private_key, leaf.key);
	pki_free(&leaf);
}

X509 *scene_leaf(const struct rg_credential *credential)
{
	FILE *file = fopen(credential->certificate, "r");
	X509 *leaf = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	assert_non_null(leaf);
	return leaf;
}

void scene_crl(struct scene *scene, X509 *revoked, long to_s)
{
	X509 *const list[] = {revoked, NULL};
	X509_CRL *crl = pki_crl(&scene->ca, list, to_s);
	if (!scene->ours.crl)
		scene->ours.crl = written(scene, "ca.crl");
	pki_write_crls(scene->ours.crl, &crl, 1);
	X509_CRL_free(crl);
}

static void credential_begin(struct scene *scene, struct rg_credential *credential, const char *cn,
			     const char *san)
{
	*credential = (struct rg_credential){
		.name = cn,
		.ca = written(scene, "ca.pem"),
		.tls_min = RG_TLS_1_2,
		.tls_max = RG_TLS_1_3,
		.versions = RG_RADIUS_1_0 | RG_RADIUS_1_1,
	};
	pki_write_certificates(credential->ca, &scene->ca.certificate, 1);
	scene_certificate(scene, credential,
			  &(struct pki_want){.cn = cn, .san = san, .usage = "serverAuth,clientAuth"});
}

void scene_begin(struct scene *scene, enum rg_transport transport)
{
	*scene = (struct scene){.transport = transport};
	assert_int_equal(uv_loop_init(&scene->loop), 0);
	assert_true(chores_open(RG_ROLE_RESOLVER));
	wheel_init(&scene->wheel, clock_now());
	scene->place = (struct rg_connection_place){
		.loop = &scene->loop,
		.wheel = &scene->wheel,
		.inbox = inbox_new(),
		.outbox = outbox_new(),
	};
	scene->directory = pki_directory();
	scene->ca = pki_make(&(struct pki_want){.cn = "Federation CA", .ca = true});
	scene->other_ca = pki_make(&(struct pki_want){.cn = "Other CA", .ca = true});
	credential_begin(scene, &scene->ours, "gate", "DNS:gate.example");
	credential_begin(scene, &scene->theirs, "caller", "DNS:caller.example");
	for (size_t i = 0; i < 8; i++)
		scene->inside[i].scene = scene;
	scene->outside.scene = scene;
	scene->dial = (struct rg_dial){.transport = transport, .host = "127.0.0.1"};
}

static struct rg_radsec *credential_use(const struct rg_credential *credential)
{
	char why[256] = "";
	struct rg_radsec *radsec = radsec_get(credential, true, why);
	if (!radsec)
		fail_msg("%s", why);
	return radsec;
}

void scene_open(struct scene *scene)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	bool tls = scene->transport == RG_TRANSPORT_TLS;
	socklen_t length = sizeof(scene->address);
	int fd = tls ? tcp_listen((struct sockaddr *)&any, false)
		     : udp_listen((struct sockaddr *)&any, false);
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&scene->address, &length), 0);
	scene->dial.port = ntohs(scene->address.sin_port);
	scene->at_port = credential_use(&scene->ours);
	scene->port = radsec_port_open(&scene->place, scene->transport, fd, scene->at_port,
				       &port_events, scene);
	assert_non_null(scene->port);
}

void scene_renew(struct scene *scene)
{
	radsec_unref(&scene->at_port);
	scene->at_port = credential_use(&scene->ours);
	radsec_port_renew(scene->port, scene->at_port);
}

void scene_dial(struct scene *scene)
{
	radsec_unref(&scene->at_caller);
	scene->at_caller = credential_use(&scene->theirs);
	scene->outside.connection = connection_dial(&scene->place, scene->at_caller, &scene->dial,
						    &events, &scene->outside);
	assert_non_null(scene->outside.connection);
}

void scene_turn(struct scene *scene)
{
	place_flush(&scene->place);
	outbox_flush(scene->place.outbox);
	uv_run(&scene->loop, UV_RUN_NOWAIT);
	wheel_advance(&scene->wheel, clock_now() + scene->ahead_ns);
	place_flush(&scene->place);
	outbox_flush(scene->place.outbox);
}

void scene_settle(struct scene *scene)
{
	for (unsigned i = 0; i < 30; i++) {
		scene_turn(scene);
		usleep(500);
	}
}

void scene_pass(struct scene *scene, uint64_t ns)
{
	scene->ahead_ns += ns;
	scene_turn(scene);
}

void scene_meet(struct scene *scene)
{
	scene_dial(scene);
	if (!scene_until(scene, scene->outside.established && scene->inside[0].established))
		fail_msg("no handshake: %s / %s", scene->outside.detail, scene->inside[0].detail);
}

void scene_end(struct scene *scene)
{
	if (scene->port)
		radsec_port_close(&scene->port);
	place_close(&scene->place);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	chores_close();
	assert_null(scene->place.connections);
	assert_int_equal(scene->wheel.armed, 0);
	assert_true(scene->outside.ended || !scene->at_caller);
	for (size_t i = 0; i < 8 && i < scene->arrived; i++)
		assert_int_equal(scene->inside[i].ended, 1);
	inbox_free(&scene->place.inbox);
	outbox_free(&scene->place.outbox);
	radsec_unref(&scene->at_port);
	radsec_unref(&scene->at_caller);
	credential_forget(&scene->ours);
	credential_forget(&scene->theirs);
	pki_free(&scene->ca);
	pki_free(&scene->other_ca);
	pki_directory_end(&scene->directory);
}

struct rg_span scene_packet(uint8_t *out, uint8_t identifier, size_t length)
{
	struct rg_buffer buffer = buffer_over(out, length);
	buffer_u8(&buffer, 1);
	buffer_u8(&buffer, identifier);
	buffer_u16(&buffer, (uint16_t)length);
	uint8_t *rest = buffer_room(&buffer, length - 4);
	memset(rest, identifier, length - 4);
	return buffer_span(&buffer);
}

bool end_says(struct end *end, uint8_t identifier, size_t length)
{
	uint8_t packet[4096];
	return end->connection &&
	       connection_send(end->connection, scene_packet(packet, identifier, length));
}

struct stranger stranger_call(struct scene *scene)
{
	bool tls = scene->transport == RG_TRANSPORT_TLS;
	struct stranger stranger = {.fd = socket(AF_INET, tls ? SOCK_STREAM : SOCK_DGRAM, 0)};
	assert_int_equal(connect(stranger.fd, (struct sockaddr *)&scene->address,
				 sizeof(scene->address)),
			 0);
	fcntl(stranger.fd, F_SETFL, O_NONBLOCK);
	stranger.context = SSL_CTX_new(tls ? TLS_client_method() : DTLS_client_method());
	return stranger;
}

void stranger_set(struct stranger *stranger, const struct rg_credential *credential)
{
	if (credential) {
		assert_int_equal(SSL_CTX_use_certificate_file(stranger->context,
							      credential->certificate,
							      SSL_FILETYPE_PEM),
				 1);
		assert_int_equal(SSL_CTX_use_PrivateKey_file(stranger->context,
							     credential->private_key,
							     SSL_FILETYPE_PEM),
				 1);
	}
	stranger->ssl = SSL_new(stranger->context);
	SSL_set_connect_state(stranger->ssl);
	SSL_set_fd(stranger->ssl, stranger->fd);
}

bool stranger_turn(struct scene *scene, struct stranger *stranger)
{
	ERR_clear_error();
	bool done = SSL_do_handshake(stranger->ssl) == 1;
	ERR_clear_error();
	scene_turn(scene);
	return done;
}

bool stranger_shake(struct scene *scene, struct stranger *stranger,
		    const struct rg_credential *credential)
{
	stranger_set(stranger, credential);
	unsigned former = scene->arrived;
	return scene_until(scene, stranger_turn(scene, stranger)) &&
	       scene_until(scene, scene->inside[former].established || scene->inside[former].ended) &&
	       !scene->inside[former].ended;
}

void stranger_leave(struct stranger *stranger)
{
	SSL_free(stranger->ssl);
	SSL_CTX_free(stranger->context);
	if (stranger->fd >= 0)
		close(stranger->fd);
	*stranger = (struct stranger){.fd = -1};
}
