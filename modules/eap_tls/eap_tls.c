/* EAP-TLS (RFC 5216, RFC 9190): mutual TLS with certificates is the whole proof, so the method only
 * says when the shared engine's handshake counts as proven, granted and done. */
#include "roamgate/module.h"
#include "roamgate/tls.h"

static const struct rg_tls_kind kind = {
	.type = 13,
	.client_certificate = true,
	.label = "tls",
	.key_label = "client EAP encryption",
};

static void *method_start(const struct rg_eap_start *start)
{
	return tls_start(start, &kind);
}

static enum rg_eap_verdict method_begin(void *method, struct rg_eap_step *step)
{
	return tls_greet(method, step) == RG_TLS_SEND ? RG_EAP_REQUEST : RG_EAP_FAILURE;
}

static enum rg_eap_verdict method_respond(void *method, struct rg_eap_step *step)
{
	switch (tls_respond(method, step)) {
	case RG_TLS_SEND:
		return RG_EAP_REQUEST;
	case RG_TLS_ESTABLISHED:
		return tls_seal(method, step) ? RG_EAP_PROVEN : RG_EAP_FAILURE;
	case RG_TLS_ACKNOWLEDGED:
		return RG_EAP_SUCCESS;
	case RG_TLS_DATA: /* of tunnels: what is sealed is refused where anything follows */
	case RG_TLS_REFUSED:
		break;
	}
	return RG_EAP_FAILURE;
}

static enum rg_eap_verdict method_granted(void *method, struct rg_eap_step *step)
{
	switch (tls_release(method, step)) {
	case RG_TLS_SEND:
		return RG_EAP_REQUEST;
	case RG_TLS_ACKNOWLEDGED: /* TLS 1.2 resumed: the supplicant had the last word (RFC 5216
				     §2.1.2) */
		return RG_EAP_SUCCESS;
	case RG_TLS_ESTABLISHED:
	case RG_TLS_DATA:
	case RG_TLS_REFUSED:
		break;
	}
	return RG_EAP_FAILURE;
}

static const struct rg_proof *method_proof(void *method)
{
	return tls_proof(method);
}

static bool method_keys(void *method, struct rg_eap_keys *keys)
{
	return tls_keys(method, keys);
}

static void method_accepted(void *method)
{
	tls_remember(method);
}

static void method_end(void **method)
{
	struct rg_tls *tls = *method;
	tls_end(&tls);
	*method = NULL;
}

static const struct rg_eap_method method_tls = {
	.type = 13,
	.label = "tls",
	.start = method_start,
	.begin = method_begin,
	.respond = method_respond,
	.proof = method_proof,
	.granted = method_granted,
	.keys = method_keys,
	.accepted = method_accepted,
	.end = method_end,
};

const struct rg_module roamgate_module = {
	.abi = RG_MODULE_ABI,
	.kind = RG_MODULE_EAP,
	.name = "eap_tls",
	.ops.eap = &method_tls,
};
