#include "gate.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <openssl/rand.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../config/kit.h"
#include "core/clock.h"
#include "eap/frame.h"
#include "home/attempts.h"
#include "module/module.h"
#include "observe/observe.h"
#include "radius/dictionary.h"

/* An EAP method that does what the Response says. */

struct method {
	struct rg_proof proof;
	struct rg_claim claim;
	uint8_t password[32];
	bool stubborn;  /* says success whatever the host says */
	bool talkative; /* says no in its own words, and waits to be answered */
};

static void *method_start(const struct rg_eap_start *start)
{
	assert_string_equal(start->realm, "beuningen.nl");
	struct method *method = calloc(1, sizeof(*method));
	method->proof = (struct rg_proof){.identity = "jan@beuningen.nl", .tls_version = "1.3"};
	return method;
}

static enum rg_eap_verdict method_begin(void *method, struct rg_eap_step *step)
{
	(void)method;
	buffer_put(step->output, span_text("begin"));
	return RG_EAP_REQUEST;
}

static enum rg_eap_verdict method_respond(void *self, struct rg_eap_step *step)
{
	struct method *method = self;
	if (span_equal(step->input, span_text("proven")))
		return RG_EAP_PROVEN;
	if (span_equal(step->input, span_text("druten"))) {
		method->proof.identity = "jan@druten.nl";
		return RG_EAP_PROVEN;
	}
	if (span_equal(step->input, span_text("revoked"))) {
		step->reason = RG_REASON_CERTIFICATE_REVOKED;
		step->detail = "serial 7";
		return RG_EAP_FAILURE;
	}
	if (step->input.length > 4 && memcmp(step->input.data, "ask:", 4) == 0) {
		size_t length = step->input.length - 4;
		memcpy(method->password, step->input.data + 4, length);
		method->claim = (struct rg_claim){.kind = RG_CLAIM_PASSWORD,
						  .password = span_of(method->password, length)};
		method->proof.kind = RG_NAME_INNER;
		method->stubborn = span_equal(method->claim.password, span_text("stubborn"));
		method->talkative = span_equal(method->claim.password, span_text("talkative"));
		return RG_EAP_ASK;
	}
	if (span_equal(step->input, span_text("success")))
		return RG_EAP_SUCCESS; /* without proof: never an Accept */
	for (size_t i = 0; i < step->room; i++)
		buffer_u8(step->output, 'x');
	return RG_EAP_REQUEST;
}

static const struct rg_proof *method_proof(void *method)
{
	return &((struct method *)method)->proof;
}

static const struct rg_claim *method_claim(void *method)
{
	return &((struct method *)method)->claim;
}

static enum rg_eap_verdict method_answered(void *self, struct rg_eap_step *step)
{
	struct method *method = self;
	const struct rg_answer *answer = step->answer;
	if (answer->granted || method->stubborn)
		return RG_EAP_SUCCESS;
	step->reason = answer->reason;
	step->detail = answer->detail;
	if (!answer->again && !method->talkative)
		return RG_EAP_FAILURE;
	buffer_put(step->output, span_text("again"));
	return RG_EAP_REQUEST;
}

static enum rg_eap_verdict method_granted(void *method, struct rg_eap_step *step)
{
	(void)method;
	(void)step;
	return RG_EAP_SUCCESS;
}

static bool method_keys(void *method, struct rg_eap_keys *keys)
{
	(void)method;
	for (size_t i = 0; i < sizeof(keys->msk); i++)
		keys->msk[i] = (uint8_t)i;
	keys->session_id_length = 0;
	return true;
}

static void method_accepted(void *method)
{
	(void)method;
}

static void method_end(void **method)
{
	free(*method);
	*method = NULL;
}

static const struct rg_eap_method method_kind = {
	.type = 13,
	.label = "tls",
	.needs = RG_OFFERS_IDENTITY,
	.start = method_start,
	.begin = method_begin,
	.respond = method_respond,
	.proof = method_proof,
	.claim = method_claim,
	.granted = method_granted,
	.answered = method_answered,
	.keys = method_keys,
	.accepted = method_accepted,
	.end = method_end,
};
static const struct rg_row no_rows[] = {{0}};
static const struct rg_module method_module = {
	.abi = RG_MODULE_ABI, .kind = RG_MODULE_EAP, .name = "eap_tls", .ops.eap = &method_kind};

/* A directory. */

struct fake_directory fake_directory;

static unsigned directory_offers(const void *settings)
{
	(void)settings;
	return RG_OFFERS_IDENTITY | RG_OFFERS_PASSWORD;
}

static void *directory_start(const void *settings, const char *name)
{
	(void)settings;
	(void)name;
	return &fake_directory;
}

void directory_answer_held(enum rg_outcome outcome)
{
	struct rg_question *question = fake_directory.held;
	assert_non_null(question);
	fake_directory.held = NULL;
	question->outcome = outcome;
	snprintf(question->detail, sizeof(question->detail), "uid=jan\n");
	snprintf(question->canonical, sizeof(question->canonical), "%s", fake_directory.canonical ? fake_directory.canonical : "");
	question->answered(question);
}

static bool directory_take(void *directory, struct rg_question *question)
{
	(void)directory;
	if (fake_directory.full)
		return false;
	assert_null(fake_directory.held);
	fake_directory.asked++;
	fake_directory.kind = question->kind;
	snprintf(fake_directory.password, sizeof(fake_directory.password), "%.*s",
		 (int)question->password.length, (const char *)question->password.data);
	snprintf(fake_directory.identity, sizeof(fake_directory.identity), "%s", question->identity);
	fake_directory.held = question;
	if (!fake_directory.hold)
		directory_answer_held(fake_directory.outcome);
	return true;
}

static void directory_status(void *directory,
			     void (*each)(void *context, const struct rg_directory_server *), void *context)
{
	(void)directory;
	(void)each;
	(void)context;
}

static void directory_close(void *directory)
{
	(void)directory;
	if (fake_directory.held)
		directory_answer_held(RG_OUTCOME_UNAVAILABLE);
}

static const struct rg_directory_kind directory_kind = {directory_offers, directory_start, directory_take,
							directory_status, directory_close};
static const struct rg_module directory_module = {.abi = RG_MODULE_ABI,
						  .kind = RG_MODULE_DIRECTORY,
						  .name = "dir_ldap",
						  .settings = no_rows,
						  .settings_size = 16,
						  .ops.directory = &directory_kind};

/* The raddb. */

uint16_t gate_peer_port;

static const char clients[] =
	"clients = (\n"
	"  { name = \"stadhuis\"; site = \"beuningen\"; addresses = [ \"127.0.0.1\" ];\n"
	"    secret = \"a secret of the client\"; operator_name = \"1beuningen.nl\";\n"
	"    visitor_reply = [ \"Tunnel-Type = VLAN\", \"Tunnel-Private-Group-Id = 900\" ]; },\n"
	"  { name = \"oud\"; site = \"wijchen\"; addresses = [ \"127.0.0.2\" ];\n"
	"    secret = \"a secret of the client\"; message_authenticator = \"auto\"; },\n"
	"  { name = \"streng\"; site = \"beuningen\"; addresses = [ \"127.0.0.3\" ];\n"
	"    secret = \"a secret of the client\"; ssids = [ \"govroam\" ]; }\n"
	");\n";
static const char realms[] =
	"realms = (\n"
	"  { names = [ \"beuningen.nl\" ];\n"
	"    eap = { methods = [ \"tls\" ]; certificate = \"certs/server.pem\"; private_key = \"certs/server.key\";\n"
	"      client_ca = \"certs/ca.pem\"; };\n"
	"    directory = { type = \"ldap\"; };\n"
	"    authorize = (\n"
	"      { sites = [ \"wijchen\" ]; deny = true; },\n"
	"      { home = true; reply = [ \"Session-Timeout = 3600\" ]; },\n"
	"      { }\n"
	"    ); }\n"
	");\n";

static void write_raddb(unsigned reject_delay_ms)
{
	char text[2048];
	kit_write("clients.d/clients.cfg", clients);
	kit_write("realms.d/beuningen.cfg", realms);
	snprintf(text, sizeof(text),
		 "gateway = { name = \"test\"; user = \"\"; reject_delay_ms = %u;\n"
		 "  modules = [ \"eap_tls\", \"dir_ldap\" ]; };\n"
		 "cui = { key = \"key of the region\"; }; attempts = { max = 4; };\n"
		 "listen = ( { address = \"127.0.0.1\"; port = 1812; serves = [ \"auth\" ]; } );\n",
		 reject_delay_ms);
	kit_write("roamgate.cfg", text);
	snprintf(text, sizeof(text),
		 "peers = ( { name = \"govroam-1\"; address = \"127.0.0.4\"; port = %u;\n"
		 "  accounting_port = %u; secret = \"a secret of the peer\"; accepts = true; } );\n"
		 "routes = (\n"
		 "  { realms = [ \"acct.example.nl\" ]; peers = [ \"govroam-1\" ]; accounting = true; },\n"
		 "  { realms = [ \"pap.example.nl\" ]; peers = [ \"govroam-1\" ]; pap = true; },\n"
		 "  { realms = [ \"*.nl\" ]; peers = [ \"govroam-1\" ]; } );\n"
		 "refuse = [ \"*.refused.nl\" ];\n",
		 gate_peer_port, gate_peer_port);
	kit_write("federation.d/peers.cfg", text);
}

static struct rg_snapshot *snapshot_of_raddb(void)
{
	char why[256] = "";
	struct rg_report report = {0};
	struct rg_raddb *raddb = kit_load(&report);
	if (!raddb)
		kit_show(&report);
	report_free(&report);
	assert_non_null(raddb);
	struct rg_raddb_share *share = raddb_share_new(raddb);
	struct rg_snapshot *snapshot = snapshot_new(share, true, why);
	raddb_share_unref(&share);
	assert_string_equal(why, "");
	assert_non_null(snapshot);
	return snapshot;
}

static int port_open(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = udp_listen((struct sockaddr *)&address, true);
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void publish(struct gate *gate, const struct rg_port_socket *ports, size_t count)
{
	struct rg_snapshot *snapshot = snapshot_of_raddb();
	struct rg_port_socket *room = worker_publication(&gate->worker, count);
	assert_non_null(room);
	if (count != 0)
		memcpy(room, ports, count * sizeof(*ports));
	worker_publish(&gate->worker, snapshot);
	snapshot_unref(&snapshot);
	const struct rg_lease *former = gate->worker.lease;
	while (gate->worker.lease == former)
		uv_run(&gate->worker.loop, UV_RUN_NOWAIT);
}

static struct rg_port_socket sockets[2];

static void on_lesson(void)
{
}

void gate_open(struct gate *gate, unsigned reject_delay_ms)
{
	const char *why;
	char text[512];
	alarm(60); /* only a test that fails waits */
	assert_true(dictionary_open(NULL, &why));
	assert_true(module_adopt(&method_module, text));
	assert_true(module_adopt(&directory_module, text));
	attempts_clear();
	fake_directory = (struct fake_directory){.outcome = RG_OUTCOME_FOUND};
	kit_new();
	write_raddb(reject_delay_ms);
	*gate = (struct gate){0};
	assert_true(observe_open(1, 64));
	assert_int_equal(uv_loop_init(&gate->main_loop), 0);
	assert_int_equal(mailbox_init(&gate->home, &gate->main_loop, NULL), 0);
	assert_true(worker_init(&gate->worker, 0, 1, 16, 1, &gate->worker, &gate->home));
	gate->worker.learned = on_lesson;
	sockets[0] = (struct rg_port_socket){.fd = port_open(&gate->auth_port), .serves = RG_SERVES_AUTH};
	sockets[1] = (struct rg_port_socket){.fd = port_open(&gate->acct_port), .serves = RG_SERVES_ACCT};
	publish(gate, sockets, 2);
}

void gate_reload(struct gate *gate)
{
	publish(gate, sockets, 2);
}

void gate_close(struct gate *gate)
{
	worker_stop(&gate->worker);
	worker_join(&gate->worker);
	mailbox_close(&gate->home);
	uv_run(&gate->main_loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&gate->main_loop), 0);
	assert_int_equal(gate->worker.window.count, 0);
	assert_int_equal(gate->worker.sessions.count, 0);
	assert_int_equal(gate->worker.open, 0);
	assert_int_equal(gate->worker.wheel.armed, 0);
	worker_destroy(&gate->worker);
	mailbox_destroy(&gate->home);
	observe_close();
	kit_remove();
	alarm(0);
}

uint64_t counted(enum rg_counter counter)
{
	return counters_sum(counter);
}

static bool readable(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	return poll(&ready, 1, 0) == 1;
}

static void turn(struct gate *gate, int fd)
{
	struct pollfd ready[2] = {{.fd = uv_backend_fd(&gate->worker.loop), .events = POLLIN},
				  {.fd = fd, .events = POLLIN}};
	uv_run(&gate->worker.loop, UV_RUN_NOWAIT);
	uv_run(&gate->worker.loop, UV_RUN_NOWAIT); /* what the first gave rise to leaves */
	int timeout = uv_backend_timeout(&gate->worker.loop);
	if (!readable(fd))
		poll(ready, 2, timeout >= 0 && timeout < 100 ? timeout : 100);
}

void gate_run_until(struct gate *gate, int fd)
{
	while (!readable(fd))
		turn(gate, fd);
}

void gate_run_until_counted(struct gate *gate, enum rg_counter counter, uint64_t value)
{
	while (counted(counter) < value)
		turn(gate, -1);
	uv_run(&gate->worker.loop, UV_RUN_NOWAIT);
}

void gate_expect(struct gate *gate, const char *result, const char *reason)
{
	json_t *records = observe_trace_json("", 8, gate->serial, NULL);
	while (json_array_size(records) == 0) {
		json_decref(records);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); /* the observer's thread */
		records = observe_trace_json("", 8, gate->serial, NULL);
	}
	const json_t *record = json_array_get(records, json_array_size(records) - 1);
	assert_string_equal(json_string_value(json_object_get(record, "reason")), reason);
	assert_string_equal(json_string_value(json_object_get(record, "result")), result);
	gate->serial = (uint64_t)json_integer_value(json_object_get(record, "serial"));
	json_decref(records);
}

/* Those who ask. */

void nas_open(struct nas *nas, const char *host, uint16_t to, const char *secret)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	*nas = (struct nas){.to = to, .key = radius_key_new(span_text(secret))};
	assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
	nas->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(nas->fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

void nas_close(struct nas *nas)
{
	close(nas->fd);
	radius_key_free(&nas->key);
}

void nas_begin(struct nas *nas, uint8_t code)
{
	assert_int_equal(RAND_bytes(nas->authenticator, RG_AUTHENTICATOR), 1);
	writer_begin(&nas->writer, nas->request, sizeof(nas->request), code, ++nas->id,
		     nas->key);
}

void nas_add(struct nas *nas, uint8_t type, const char *value)
{
	writer_add(&nas->writer, type, span_text(value));
}

void nas_say(struct nas *nas)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(nas->to)};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(sendto(nas->fd, nas->request, nas->length, 0, (struct sockaddr *)&to, sizeof(to)),
			 nas->length);
}

void nas_send(struct nas *nas)
{
	bool accounting = nas->request[0] == RG_ACCOUNTING_REQUEST;
	struct rg_span bytes =
		writer_request(&nas->writer, accounting ? NULL : nas->authenticator);
	assert_true(bytes.length > 0);
	nas->length = bytes.length;
	memcpy(nas->authenticator, nas->request + 4, RG_AUTHENTICATOR);
	nas_say(nas);
}

void nas_eap(struct nas *nas, uint8_t id, uint8_t type, const char *data)
{
	uint8_t eap[512];
	struct rg_buffer buffer = buffer_over(eap, sizeof(eap));
	eap_request_write(&buffer, id, type, span_text(data));
	eap[0] = RG_EAP_CODE_RESPONSE;
	nas_begin(nas, RG_ACCESS_REQUEST);
	nas_add(nas, RG_USER_NAME, "jan@beuningen.nl");
	nas_add(nas, RG_CALLING_STATION_ID, "02-00-00-00-00-01");
	writer_add_eap(&nas->writer, buffer_span(&buffer));
	if (nas->state_length)
		writer_add(&nas->writer, RG_STATE, span_of(nas->state, nas->state_length));
	nas_send(nas);
}

void nas_hear(struct nas *nas, struct gate *gate, uint8_t code)
{
	gate_run_until(gate, nas->fd);
	ssize_t length = recv(nas->fd, nas->answer_bytes, sizeof(nas->answer_bytes), 0);
	assert_true(length > 0);
	nas->answer_length = (size_t)length;
	assert_int_equal(packet_view(&nas->answer, span_of(nas->answer_bytes, nas->answer_length)),
			 RG_PACKET_OK);
	assert_int_equal(nas->answer.code, code);
	assert_int_equal(nas->answer.token, nas->request[1]);
	bool is_signed = code != RG_ACCOUNTING_RESPONSE || nas->request[0] == RG_STATUS_SERVER;
	assert_int_equal(reply_verify(&nas->answer, nas->authenticator, nas->key),
			 is_signed ? RG_AUTHENTIC : RG_AUTHENTIC_ABSENT);
	if (is_signed)
		assert_int_equal(nas->answer_bytes[20], RG_MESSAGE_AUTHENTICATOR); /* attacks.md B2 */
	struct rg_span state = packet_find(&nas->answer, RG_STATE);
	assert_true(state.length <= sizeof(nas->state));
	nas->state_length = state.length;
	if (state.length)
		memcpy(nas->state, state.data, state.length);
}

void nas_deaf(struct nas *nas, struct gate *gate, enum rg_counter counter, uint64_t before)
{
	gate_run_until_counted(gate, counter, before + 1);
	assert_int_equal(counted(counter), before + 1);
	assert_false(readable(nas->fd));
}

void peer_receive(struct nas *peer, struct gate *gate)
{
	socklen_t length = sizeof(peer->from);
	gate_run_until(gate, peer->fd);
	ssize_t received = recvfrom(peer->fd, peer->answer_bytes, sizeof(peer->answer_bytes), 0,
				    &peer->from.any, &length);
	assert_true(received > 0);
	peer->answer_length = (size_t)received;
	assert_int_equal(packet_view(&peer->answer, span_of(peer->answer_bytes, peer->answer_length)),
			 RG_PACKET_OK);
	assert_int_not_equal(request_verify(&peer->answer, peer->key), RG_FORGED);
}

void peer_answer(struct nas *peer, uint8_t code)
{
	uint8_t out[RG_RADIUS_MOST];
	struct rg_writer writer;
	writer_begin(&writer, out, sizeof(out), code, peer->answer.token, peer->key);
	if (code != RG_ACCOUNTING_RESPONSE) {
		writer_add_eap(&writer, span_of(code == RG_ACCESS_ACCEPT ? "\x03\x01\x00\x04"
									  : "\x04\x01\x00\x04", 4));
		writer_add(&writer, RG_TUNNEL_PRIVATE_GROUP_ID, span_text("66"));
	}
	struct rg_span bytes = writer_reply(&writer, packet_authenticator(&peer->answer));
	assert_int_equal(sendto(peer->fd, bytes.data, bytes.length, 0, &peer->from.any,
				address_length(&peer->from)),
			 bytes.length);
}
