/* A laptop: a whole sign-in, played by the supplicant that `roamgate test` has too. */
#include "load/script.h"

#define FRAMED_MTU 1400

struct laptop {
	struct rg_supplicant *supplicant;
};

static bool laptop_begin(void *talk, const void *context, const struct rg_who *who, unsigned slot)
{
	struct laptop *laptop = talk;
	const struct rg_laptop_settings *settings = context;
	char inner[RG_WHO_MOST];
	if (settings->inner_pattern)
		who_name(inner, settings->inner_pattern, who->number);
	const struct rg_supplicant_identity identity = {
		.outer = who->name,
		.inner = settings->inner_pattern ? inner : NULL,
		.calling = who->mac,
		.called = settings->called,
		.framed_mtu = FRAMED_MTU,
		.nas_identifier = "roamgate-load",
	};
	laptop->supplicant = supplicant_new(settings->profiles[slot % settings->profile_count],
					    &identity, settings->key);
	return laptop->supplicant;
}

static struct rg_span laptop_request(void *talk, uint8_t id)
{
	struct laptop *laptop = talk;
	return supplicant_request(laptop->supplicant, id);
}

static enum rg_supplicant_state laptop_reply(void *talk, struct rg_span datagram, bool *ignored)
{
	struct laptop *laptop = talk;
	return supplicant_reply(laptop->supplicant, datagram, ignored);
}

/* What stands beside a name is another for each sign-in; the word of the reason is not. */
static const char *kind_of(const struct rg_supplicant_report *report)
{
	if (report->reason != RG_REASON_NONE && report->reason != RG_REASON_ACCEPTED)
		return reason_word(report->reason);
	return report->why ? report->why : "rejected";
}

static void laptop_tell(void *talk, struct rg_script_verdict *verdict)
{
	struct laptop *laptop = talk;
	const struct rg_supplicant_report *report = supplicant_report(laptop->supplicant);
	*verdict = (struct rg_script_verdict){
		.round_trips = report->round_trips,
		.resumed = report->resumed,
		.keys_match = report->keys_match,
		.why = kind_of(report),
	};
}

static void laptop_end(void *talk)
{
	struct laptop *laptop = talk;
	supplicant_free(&laptop->supplicant);
}

const struct rg_script script_laptop = {
	.size = sizeof(struct laptop),
	.begin = laptop_begin,
	.request = laptop_request,
	.reply = laptop_reply,
	.tell = laptop_tell,
	.end = laptop_end,
};
