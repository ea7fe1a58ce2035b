/* Laptops with real EAP-TLS: the supplicant of `roamgate test`, with a certificate of the town's CA
 * or of another one. */
#include <stdio.h>
#include <string.h>

#include "roamgate/span.h"
#include "sim.h"
#include "supplicant/supplicant.h"

void tls_laptop_begin(struct signin *signin, const char *folder)
{
	char certificate[400], key[400], ca[400], why[256];
	const char *whose = signin->manner == WRONG_PROOF ? "stray" : "staff";
	snprintf(certificate, sizeof(certificate), "%s/%s%u.pem", folder, whose, signin->number);
	snprintf(key, sizeof(key), "%s/%s%u.key", folder, whose, signin->number);
	snprintf(ca, sizeof(ca), "%s/ca.pem", folder);
	struct rg_supplicant_settings settings = {
		.certificate = certificate,
		.private_key = key,
		.ca = ca,
		.server_name = "radius.delta.nl",
	};
	struct rg_supplicant_identity identity = {.outer = signin->user,
						  .calling = "02-00-00-00-00-01",
						  .called = "AA-BB-CC-DD-EE-FF:govroam"};
	signin->key = radius_key_new(span_text(signin->nas->secret));
	signin->profile = supplicant_profile_new(&settings, why);
	if (!signin->profile)
		broken("no laptop: %s", why);
	signin->supplicant = supplicant_new(signin->profile, &identity, signin->key);
	must(signin->supplicant);
	signin->proven = signin->manner == HONEST;
}

void tls_laptop_request(struct signin *signin, uint8_t id, struct pdu *pdu)
{
	struct rg_span packet = supplicant_request(signin->supplicant, id);
	must(packet.length != 0);
	memcpy(pdu->bytes, packet.data, packet.length);
	pdu->length = packet.length;
}

enum rg_result tls_laptop_reply(struct signin *signin, const uint8_t *bytes, size_t length)
{
	bool ignored;
	enum rg_supplicant_state state =
		supplicant_reply(signin->supplicant, span_of(bytes, length), &ignored);
	const struct rg_supplicant_report *report = supplicant_report(signin->supplicant);
	if (ignored)
		broken("p%u: an answer that the laptop does not take: %s", signin->number,
		       report->ignored_why);
	switch (state) {
	case RG_SUPPLICANT_SEND:
		return RG_RESULT_NONE;
	case RG_SUPPLICANT_ACCEPTED:
		must(report->keys_match && report->server_trusted);
		return RG_RESULT_ACCEPT;
	case RG_SUPPLICANT_REFUSED:
		return RG_RESULT_REJECT;
	case RG_SUPPLICANT_FAILED:
		break;
	}
	broken("p%u: the laptop says: %s", signin->number, report->why);
}

void tls_laptop_end(struct signin *signin)
{
	supplicant_free(&signin->supplicant);
	supplicant_profile_free(&signin->profile);
	radius_key_free(&signin->key);
}
