/* EAP-GTC (RFC 3748 §5.6) as tunnels use it: the supplicant is asked for the password and says it.
 */
#include <stdlib.h>

#include "core/secret.h"
#include "roamgate/directory.h"
#include "roamgate/eap.h"
#include "roamgate/module.h"

static const char prompt[] = "Password: ";

struct gtc {
	struct rg_proof proof;
	struct rg_claim claim;
	struct rg_secret *password;
};

static void *method_start(const struct rg_eap_start *start)
{
	struct gtc *gtc = calloc(1, sizeof(*gtc));
	if (gtc)
		gtc->proof = (struct rg_proof){.identity = start->identity, .kind = RG_NAME_INNER};
	return gtc;
}

static enum rg_eap_verdict method_begin(void *method, struct rg_eap_step *step)
{
	(void)method;
	buffer_put(step->output, span_text(prompt));
	return RG_EAP_REQUEST;
}

static enum rg_eap_verdict method_respond(void *method, struct rg_eap_step *step)
{
	struct gtc *gtc = method;
	secret_free(&gtc->password);
	gtc->password = secret_new(step->input.data, step->input.length);
	if (!gtc->password) {
		step->reason = RG_REASON_INTERNAL;
		step->detail = "no memory";
		return RG_EAP_FAILURE;
	}
	gtc->claim = (struct rg_claim){.kind = RG_CLAIM_PASSWORD,
				       .password = secret_span(gtc->password)};
	return RG_EAP_ASK;
}

static enum rg_eap_verdict method_answered(void *method, struct rg_eap_step *step)
{
	struct gtc *gtc = method;
	secret_free(&gtc->password);
	if (step->answer->granted)
		return RG_EAP_SUCCESS;
	step->reason = step->answer->reason;
	step->detail = step->answer->detail;
	return RG_EAP_FAILURE;
}

static const struct rg_proof *method_proof(void *method)
{
	struct gtc *gtc = method;
	return &gtc->proof;
}

static const struct rg_claim *method_claim(void *method)
{
	struct gtc *gtc = method;
	return &gtc->claim;
}

static bool method_keys(void *method, struct rg_eap_keys *keys)
{
	(void)method;
	(void)keys;
	return false;
}

static void method_end(void **method)
{
	struct gtc *gtc = *method;
	*method = NULL;
	secret_free(&gtc->password);
	free(gtc);
}

static const struct rg_eap_method method_gtc = {
	.type = 6,
	.label = "gtc",
	.needs = RG_OFFERS_PASSWORD,
	.inner_only = true,
	.start = method_start,
	.begin = method_begin,
	.respond = method_respond,
	.proof = method_proof,
	.claim = method_claim,
	.answered = method_answered,
	.keys = method_keys,
	.end = method_end,
};

const struct rg_module roamgate_module = {
	.abi = RG_MODULE_ABI,
	.kind = RG_MODULE_EAP,
	.name = "eap_gtc",
	.ops.eap = &method_gtc,
};
