#include "sink_fticks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "roamgate/sink.h"
#include "sender.h"

struct sink {
	struct fticks_sender *sender;
	bool basic;
	char **exempt; /* NULL-terminated */
};

static void sink_free(struct sink *sink)
{
	for (size_t i = 0; sink->exempt && sink->exempt[i]; i++)
		free(sink->exempt[i]);
	free(sink->exempt);
	free(sink);
}

static bool keep_exempt(struct sink *sink, const struct rg_strings *globs)
{
	sink->exempt = calloc(globs->count + 1, sizeof(char *));
	for (size_t i = 0; sink->exempt && i < globs->count; i++)
		if (!(sink->exempt[i] = strdup(globs->items[i])))
			return false;
	return sink->exempt;
}

static void *sink_open(const void *opaque, const struct rg_sink_gateway *gateway,
		       char why[RG_SINK_WHY])
{
	const struct fticks_settings *settings = opaque;
	struct sink *sink = calloc(1, sizeof(*sink));
	snprintf(why, RG_SINK_WHY, "out of memory");
	if (!sink)
		return NULL;
	sink->basic = settings->reporting == FTICKS_BASIC;
	if (keep_exempt(sink, &settings->exempt))
		sink->sender = fticks_sender_open(settings, gateway->country, why);
	if (sink->sender)
		return sink;
	sink_free(sink);
	return NULL;
}

/* Whether the home of that realm, ours or another's, has said something: what is turned away here
 * without asking it says nothing of the realm. */
static bool home_said(enum rg_reason reason)
{
	switch (reason) {
	case RG_REASON_NONE:
	case RG_REASON_REALM_UNKNOWN:
	case RG_REASON_REALM_MALFORMED:
	case RG_REASON_REALM_REFUSED:
	case RG_REASON_REALM_LOOP:
	case RG_REASON_CLIENT_UNKNOWN:
	case RG_REASON_CLIENT_SECRET:
	case RG_REASON_SSID_REFUSED:
	case RG_REASON_OVERLOAD:
	case RG_REASON_INTERNAL:
	case RG_REASON_COUNT:
		return false;
	case RG_REASON_ACCEPTED:
	case RG_REASON_METHOD_REFUSED:
	case RG_REASON_SUPPLICANT_ABANDONED:
	case RG_REASON_SUPPLICANT_DISTRUSTS_SERVER:
	case RG_REASON_CERTIFICATE_EXPIRED:
	case RG_REASON_CERTIFICATE_REVOKED:
	case RG_REASON_CERTIFICATE_UNKNOWN_CA:
	case RG_REASON_CERTIFICATE_INVALID:
	case RG_REASON_CERTIFICATE_OTHER_REALM:
	case RG_REASON_REVOCATION_UNAVAILABLE:
	case RG_REASON_IDENTITY_MISMATCH:
	case RG_REASON_DIRECTORY_NO_ENTRY:
	case RG_REASON_DIRECTORY_AMBIGUOUS:
	case RG_REASON_DIRECTORY_DISABLED:
	case RG_REASON_DIRECTORY_UNAVAILABLE:
	case RG_REASON_PASSWORD_WRONG:
	case RG_REASON_PASSWORD_EXPIRED:
	case RG_REASON_PASSWORD_MUST_CHANGE:
	case RG_REASON_ACCOUNT_LOCKED:
	case RG_REASON_NOT_AUTHORIZED:
	case RG_REASON_TOO_MANY_ATTEMPTS:
	case RG_REASON_UPSTREAM_REFUSED:
	case RG_REASON_UPSTREAM_TIMEOUT:
	case RG_REASON_UPSTREAM_UNAVAILABLE:
		return true;
	}
	return false;
}

/* What somebody at one of our places was told. Where a federation peer asked, whoever runs that
 * place reports it. */
static bool is_reported(const struct sink *sink, const struct rg_ended *ended)
{
	if (ended->as == RG_ENDED_SILENT || ended->elsewhere || ended->realm[0] == '\0' ||
	    !home_said(ended->reason))
		return false;
	for (size_t i = 0; sink->exempt[i]; i++)
		if (text_glob(sink->exempt[i], ended->outer))
			return false;
	return true;
}

static void sink_take(void *opaque, const struct rg_ended *ended)
{
	struct sink *sink = opaque;
	struct fticks_tick tick = {
		.wall_ns = ended->wall_ns,
		.accepted = ended->as == RG_ENDED_ACCEPTED,
	};
	if (!is_reported(sink, ended))
		return;
	snprintf(tick.realm, sizeof(tick.realm), "%s", ended->realm);
	snprintf(tick.mac, sizeof(tick.mac), "%s", ended->mac);
	if (!sink->basic)
		snprintf(tick.institution, sizeof(tick.institution), "%s",
			 ended->operator_name[0] ? ended->operator_name : ended->site);
	fticks_sender_put(sink->sender, &tick);
}

static void sink_status(void *opaque, struct rg_sink_status *status)
{
	struct sink *sink = opaque;
	fticks_sender_status(sink->sender, status);
}

static void sink_close(void *opaque)
{
	struct sink *sink = opaque;
	fticks_sender_close(sink->sender);
	sink_free(sink);
}

static const struct rg_sink_kind operations = {
	.group = "fticks",
	.open = sink_open,
	.take = sink_take,
	.status = sink_status,
	.close = sink_close,
};

const struct rg_module roamgate_module = {
	.abi = RG_MODULE_ABI,
	.kind = RG_MODULE_SINK,
	.name = "sink_fticks",
	.settings = fticks_rows,
	.settings_size = sizeof(struct fticks_settings),
	.check = fticks_check,
	.ops.sink = &operations,
};
