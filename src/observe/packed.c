#include "observe/packed.h"

#include <string.h>

/* What has no text, as it is. */
struct numbers {
	uint64_t wall_ns, began_ns;
	uint32_t total_us, tls_us, directory_us, upstream_us;
	enum rg_result result;
	enum rg_reason reason;
	bool resumed, elsewhere;
	uint8_t steps, steps_lost;
};

struct step_numbers {
	const char *step; /* static: the pointer is as good as the word */
	uint32_t us;
};

static uint8_t *put(uint8_t *out, const void *bytes, size_t length)
{
	memcpy(out, bytes, length);
	return out + length;
}

static uint8_t *put_text(uint8_t *out, const char *text)
{
	return put(out, text, strlen(text) + 1);
}

static const uint8_t *take(const uint8_t *in, void *bytes, size_t length)
{
	memcpy(bytes, in, length);
	return in + length;
}

/* The texts of a record were NUL-terminated within their arrays when they were packed. */
static const uint8_t *take_text(const uint8_t *in, char *text)
{
	return take(in, text, strlen((const char *)in) + 1);
}

size_t signin_pack(const struct rg_signin *signin, uint8_t *out)
{
	const struct numbers numbers = {
		.wall_ns = signin->wall_ns,
		.began_ns = signin->began_ns,
		.total_us = signin->total_us,
		.tls_us = signin->tls_us,
		.directory_us = signin->directory_us,
		.upstream_us = signin->upstream_us,
		.result = signin->result,
		.reason = signin->reason,
		.resumed = signin->resumed,
		.elsewhere = signin->elsewhere,
		.steps = signin->steps < RG_STEPS_MOST ? signin->steps : RG_STEPS_MOST,
		.steps_lost = signin->steps_lost,
	};
	uint8_t *at = put(out, &numbers, sizeof(numbers));
	at = put_text(at, signin->id);
	at = put_text(at, signin->outer);
	at = put_text(at, signin->inner);
	at = put_text(at, signin->mac);
	at = put_text(at, signin->client);
	at = put_text(at, signin->site);
	at = put_text(at, signin->called);
	at = put_text(at, signin->operator_name);
	at = put_text(at, signin->realm);
	at = put_text(at, signin->label);
	at = put_text(at, signin->method);
	at = put_text(at, signin->tls);
	at = put_text(at, signin->detail);
	for (unsigned i = 0; i < numbers.steps; i++) {
		const struct rg_step *step = &signin->step[i];
		at = put(at, &(struct step_numbers){.step = step->step, .us = step->us},
			 sizeof(struct step_numbers));
		at = put_text(at, step->detail);
	}
	return (size_t)(at - out);
}

void signin_unpack(struct rg_signin *signin, const uint8_t *packed)
{
	struct numbers numbers;
	const uint8_t *at = take(packed, &numbers, sizeof(numbers));
	signin->wall_ns = numbers.wall_ns;
	signin->began_ns = numbers.began_ns;
	signin->total_us = numbers.total_us;
	signin->tls_us = numbers.tls_us;
	signin->directory_us = numbers.directory_us;
	signin->upstream_us = numbers.upstream_us;
	signin->result = numbers.result;
	signin->reason = numbers.reason;
	signin->resumed = numbers.resumed;
	signin->elsewhere = numbers.elsewhere;
	signin->steps = numbers.steps;
	signin->steps_lost = numbers.steps_lost;
	at = take_text(at, signin->id);
	at = take_text(at, signin->outer);
	at = take_text(at, signin->inner);
	at = take_text(at, signin->mac);
	at = take_text(at, signin->client);
	at = take_text(at, signin->site);
	at = take_text(at, signin->called);
	at = take_text(at, signin->operator_name);
	at = take_text(at, signin->realm);
	at = take_text(at, signin->label);
	at = take_text(at, signin->method);
	at = take_text(at, signin->tls);
	at = take_text(at, signin->detail);
	for (unsigned i = 0; i < numbers.steps; i++) {
		struct step_numbers step;
		at = take(at, &step, sizeof(step));
		signin->step[i].step = step.step;
		signin->step[i].us = step.us;
		at = take_text(at, signin->step[i].detail);
	}
}
