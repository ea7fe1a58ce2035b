/* The NAS's socket: one question at a time, asked again when no answer comes (RFC 5080 §2.2.1). */
#include <errno.h>
#include <openssl/rand.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command/test.h"
#include "core/clock.h"

#define IRT_NS (2 * RG_SECOND)
#define MRT_NS (16 * RG_SECOND)

struct exchange {
	int socket;
	uint8_t id;
	uint64_t timeout_ns;
	bool refused; /* ICMP: nothing listens there */
};

/* value with RFC 5080's RAND: between -10 % and +10 % of it. */
static uint64_t jittered(uint64_t value)
{
	uint16_t random = 0;
	RAND_bytes((uint8_t *)&random, sizeof(random));
	return value - value / 10 + value / 5 / UINT16_MAX * random;
}

/* Waits for a datagram until that time; -1: none. */
static ssize_t receive_until(struct exchange *exchange, uint64_t until_ns, uint8_t *data,
			     size_t size)
{
	for (;;) {
		uint64_t now = clock_now();
		if (now >= until_ns)
			return -1;
		struct pollfd watched = {.fd = exchange->socket, .events = POLLIN};
		int ready = poll(&watched, 1, (int)((until_ns - now + RG_MS - 1) / RG_MS));
		if (ready <= 0)
			continue;
		ssize_t length = recv(exchange->socket, data, size, 0);
		if (length >= 0)
			return length;
		if (errno == ECONNREFUSED) {
			exchange->refused = true;
			return -1;
		}
	}
}

static void send_once(struct exchange *exchange, struct rg_span packet)
{
	if (send(exchange->socket, packet.data, packet.length, 0) < 0 && errno == ECONNREFUSED)
		exchange->refused = true;
}

/* One Access-Request until its answer. False: none came. */
static bool ask(struct exchange *exchange, struct rg_supplicant *supplicant,
		struct rg_test_step *step, enum rg_supplicant_state *state)
{
	uint8_t data[RG_RADIUS_MOST];
	struct rg_span packet = supplicant_request(supplicant, exchange->id++);
	uint64_t began = clock_now(), give_up = began + exchange->timeout_ns;
	uint64_t wait = jittered(IRT_NS);
	step->sent = packet.length;
	exchange->refused = false;
	send_once(exchange, packet);
	for (;;) {
		uint64_t until = clock_now() + wait;
		ssize_t length = receive_until(exchange, until < give_up ? until : give_up, data,
					       sizeof(data));
		if (length >= 0) {
			bool ignored;
			*state = supplicant_reply(supplicant, span_of(data, (size_t)length),
						  &ignored);
			if (ignored)
				continue;
			step->code = data[0];
			step->received = (size_t)length;
			step->ns = clock_now() - began;
			return true;
		}
		/* Nobody is there, and said so: waiting longer would tell no more. */
		if (exchange->refused || clock_now() >= give_up)
			break;
		wait = 2 * wait < MRT_NS ? jittered(2 * wait) : jittered(MRT_NS);
		step->repeats++;
		send_once(exchange, packet);
	}
	step->ns = clock_now() - began;
	return false;
}

bool test_exchange(struct rg_test_run *run, const struct rg_test_target *target,
		   struct rg_supplicant *supplicant, uint64_t timeout_ns, test_step *each,
		   void *context)
{
	struct exchange exchange = {.timeout_ns = timeout_ns};
	exchange.socket = socket(target->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (exchange.socket < 0 ||
	    connect(exchange.socket, (const struct sockaddr *)&target->address,
		    target->address_length) != 0) {
		fprintf(stderr, "roamgate test: %s: %s\n", target->text, strerror(errno));
		if (exchange.socket >= 0)
			close(exchange.socket);
		return false;
	}
	RAND_bytes(&exchange.id, 1);
	run->began_ns = clock_now();
	run->began_wall_ns = clock_wall();
	run->state = RG_SUPPLICANT_SEND;
	do {
		struct rg_test_step step = {.number = 0};
		run->answered = ask(&exchange, supplicant, &step, &run->state);
		run->report = supplicant_report(supplicant);
		step.number = run->report->round_trips + !run->answered;
		step.stage = run->report->stage;
		run->repeats += step.repeats;
		each(context, &step);
	} while (run->answered && run->state == RG_SUPPLICANT_SEND);
	run->ns = clock_now() - run->began_ns;
	if (!run->answered && exchange.refused)
		run->silence = "nothing listens there";
	else if (!run->answered)
		run->silence = run->report->ignored ? run->report->ignored_why : "silence";
	close(exchange.socket);
	return true;
}
