#include "scene.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/clock.h"
#include "radius/key_private.h"

#define PATIENCE_MS 20000 /* only a test that fails waits so long */

static size_t on_keys(void *context, struct rg_request *request, const struct rg_forward *forward,
		      const struct rg_packet *answer, struct rg_rehiding *keys, size_t most)
{
	(void)forward;
	(void)answer;
	(void)keys;
	(void)most;
	assert_ptr_equal(request, context);
	return 0;
}

static bool on_answered(void *context, struct rg_request *request, const struct rg_forward *forward,
			const struct rg_packet *answer, const struct rg_rehiding *keys, size_t key_count)
{
	struct scene *scene = context;
	(void)keys;
	assert_int_equal(key_count, 0);
	assert_ptr_equal(request, (struct rg_request *)scene);
	if (answer->code == scene->cannot_give_on)
		return false;
	scene->answered++;
	scene->code = answer->code;
	if (scene->forward == forward)
		scene->forward = NULL;
	return true;
}

static void on_moved(void *context, struct rg_request *request, struct rg_forward *forward)
{
	struct scene *scene = context;
	assert_ptr_equal(request, (struct rg_request *)scene);
	scene->moved++;
	scene->forward = forward;
}

static void on_lost(void *context, struct rg_request *request, const struct rg_forward *forward,
		    enum rg_lost how)
{
	struct scene *scene = context;
	assert_ptr_equal(request, (struct rg_request *)scene);
	scene->lost++;
	scene->how = how;
	if (scene->forward == forward)
		scene->forward = NULL;
}

static void on_learned(void *context)
{
	((struct scene *)context)->lessons++;
}

static const struct rg_upstream_events events = {on_keys, on_answered, on_moved, on_lost, on_learned};

void scripted_open(struct scripted *peer)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(peer->port)};
	socklen_t length = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(peer->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(peer->fd, (struct sockaddr *)&address, &length), 0);
	peer->port = ntohs(address.sin_port);
}

void scripted_close(struct scripted *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
}

static void on_alarm(uv_timer_t *alarm)
{
	(void)alarm;
	fprintf(stderr, "nothing comes of it\n");
	abort();
}

static void make_peer(struct scene *scene, unsigned i)
{
	static unsigned made;
	char secret[32], *name = NULL;
	struct scripted *peer = &scene->peers[i];
	snprintf(secret, sizeof(secret), "secret of peer %u", i);
	assert_true(asprintf(&name, "peer-%u-%u", i, made++) > 0); /* its figures begin at zero */
	*peer = (struct scripted){.fd = -1, .key = radius_key_new(span_text(secret))};
	scripted_open(peer);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(peer->port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	scene->settings[i] = (struct rg_peer_settings){
		.name = name, .transport = RG_TRANSPORT_UDP, .key = peer->key, .number = i};
	memcpy(&scene->settings[i].address, &address, sizeof(address));
	snprintf(scene->settings[i].digest, sizeof(scene->settings[i].digest), "digest");
	scene->order[i] = &scene->settings[i];
}

static void make_request(struct scene *scene)
{
	char name[64];
	struct rg_writer writer;
	snprintf(name, sizeof(name), "jan@%s", scene->realm);
	writer_begin(&writer, scene->request_bytes, sizeof(scene->request_bytes), RG_ACCESS_REQUEST, 1,
		     scene->client_key);
	writer_add(&writer, RG_USER_NAME, span_text(name));
	if (scene->state)
		writer_add(&writer, RG_STATE, span_text(scene->state));
	writer_add_eap(&writer, span_text("\x02\x01\x00\x12\x01jan@elders.nl"));
	writer_add(&writer, RG_PROXY_STATE, span_text("theirs"));
	struct rg_span bytes =
		writer_request(&writer, (const uint8_t *)"client's random");
	assert_int_equal(packet_view(&scene->request, bytes), RG_PACKET_OK);
}

void scene_begin(struct scene *scene, unsigned peers)
{
	*scene = (struct scene){0};
	assert_int_equal(uv_loop_init(&scene->loop), 0);
	uv_timer_init(&scene->loop, &scene->alarm);
	uv_timer_start(&scene->alarm, on_alarm, PATIENCE_MS, 0);
	wheel_init(&scene->wheel, clock_now());
	scene->client_key = radius_key_new(span_text("secret of the client"));
	scene->realm = "elders.nl";
	for (unsigned i = 0; i < SCENE_PEERS; i++)
		scene->peers[i].fd = -1;
	for (unsigned i = 0; i < peers; i++)
		make_peer(scene, i);
	scene->route = (struct rg_route){.peers = scene->order, .peer_count = peers};
	scene->raddb = (struct rg_raddb){.peers = scene->settings, .peer_count = peers, .gateway.node = 3};
	scene->upstream = (struct rg_upstream){
		.loop = &scene->loop,
		.wheel = &scene->wheel,
		.slab = &scene->slab,
		.entropy = &scene->entropy,
		.inbox = inbox_new(),
		.outbox = outbox_new(),
		.counters = counters_of(0),
		.events = &events,
		.context = scene,
	};
}

void scene_configure(struct scene *scene)
{
	upstream_configure(&scene->upstream, &scene->raddb, scene->learned, NULL);
}

void scene_end(struct scene *scene)
{
	upstream_close(&scene->upstream);
	uv_close((uv_handle_t *)&scene->alarm, NULL);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	assert_int_equal(scene->wheel.armed, 0);
	for (unsigned i = 0; i < SCENE_PEERS; i++) {
		scripted_close(&scene->peers[i]);
		radius_key_free(&scene->peers[i].key);
		free((char *)(uintptr_t)scene->settings[i].name);
	}
	radius_key_free(&scene->client_key);
	inbox_free(&scene->upstream.inbox);
	outbox_free(&scene->upstream.outbox);
	slab_destroy(&scene->slab);
}

struct rg_forward *scene_try(struct scene *scene, uint64_t now)
{
	make_request(scene);
	const struct rg_forward_order order = {
		.request = (struct rg_request *)scene,
		.route = &scene->route,
		.realm = span_text(scene->realm),
		.packet = &scene->request,
		.key = scene->client_key,
		.operator_name = "1beuningen.nl",
		.now = now,
		.deadline_ns = now + 30 * RG_SECOND,
	};
	return upstream_send(&scene->upstream, &order);
}

void scene_flush(struct scene *scene)
{
	assert_int_equal(outbox_flush(scene->upstream.outbox), 0);
}

void scene_send(struct scene *scene)
{
	scene->forward = scene_try(scene, clock_now());
	assert_non_null(scene->forward);
	scene_flush(scene);
}

void scene_await(struct scene *scene, const unsigned *seen, unsigned most)
{
	while (*seen < most) {
		uv_run(&scene->loop, UV_RUN_ONCE);
		scene_flush(scene);
		upstream_tidy(&scene->upstream);
	}
}

void scripted_receive(struct scripted *peer)
{
	struct pollfd ready = {.fd = peer->fd, .events = POLLIN};
	socklen_t length = sizeof(peer->from);
	assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
	ssize_t received =
		recvfrom(peer->fd, peer->bytes, sizeof(peer->bytes), 0, &peer->from.any, &length);
	assert_true(received > 0);
	peer->length = (size_t)received;
	assert_int_equal(packet_view(&peer->packet, span_of(peer->bytes, peer->length)), RG_PACKET_OK);
	assert_int_equal(request_verify(&peer->packet, peer->key), RG_AUTHENTIC);
}

bool scripted_silent(struct scripted *peer)
{
	struct pollfd ready = {.fd = peer->fd, .events = POLLIN};
	return poll(&ready, 1, 0) == 0;
}

void scripted_say(struct scripted *peer, struct rg_span bytes)
{
	assert_int_equal(sendto(peer->fd, bytes.data, bytes.length, 0, &peer->from.any,
				address_length(&peer->from)),
			 bytes.length);
}

void scripted_vouch(const struct scripted *peer, uint8_t *out, size_t length)
{
	struct rg_md5 md5;
	memcpy(out + 4, packet_authenticator(&peer->packet), RG_AUTHENTICATOR);
	md5_begin(&md5);
	md5_add(&md5, span_of(out, length));
	md5_add(&md5, key_secret(peer->key));
	md5_end(&md5, out + 4);
}

struct rg_span scripted_compose(struct scripted *peer, uint8_t code, bool is_signed, uint8_t *out)
{
	struct rg_writer writer;
	const uint8_t *authenticator = packet_authenticator(&peer->packet);
	if (is_signed) {
		writer_begin(&writer, out, RG_RADIUS_MOST, code, peer->packet.token,
			     peer->key);
		writer_add_message_authenticator(&writer);
		writer_add(&writer, RG_CLASS, span_text("class"));
		if (peer->state && code == RG_ACCESS_CHALLENGE)
			writer_add(&writer, RG_STATE, span_text(peer->state));
		return writer_reply(&writer, authenticator);
	}
	memset(out, 0, RG_RADIUS_HEADER);
	out[0] = code;
	out[1] = (uint8_t)peer->packet.token;
	out[3] = RG_RADIUS_HEADER;
	scripted_vouch(peer, out, RG_RADIUS_HEADER);
	return span_of(out, RG_RADIUS_HEADER);
}

void scripted_answer(struct scripted *peer, uint8_t code)
{
	uint8_t out[RG_RADIUS_MOST];
	scripted_say(peer, scripted_compose(peer, code, true, out));
}
