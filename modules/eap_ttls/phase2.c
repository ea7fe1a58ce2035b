#include "phase2.h"

#include <stdio.h>

#include "eap/avp.h"

#define AVP_USER_NAME         1u
#define AVP_USER_PASSWORD     2u
#define AVP_CHAP_PASSWORD     3u
#define AVP_CHAP_CHALLENGE    60u
#define AVP_MS_CHAP_RESPONSE  1u /* Microsoft's, as the following */
#define AVP_MS_CHAP_CHALLENGE 11u
#define AVP_MS_CHAP2_RESPONSE 25u

static bool keep(struct phase2 *phase2, struct rg_span *slot, const struct rg_avp *avp)
{
	if (slot->data) {
		snprintf(phase2->why, sizeof(phase2->why), "broken TTLS: AVP %u is there twice",
			 avp->code);
		return false;
	}
	/* An empty one is there all the same. */
	*slot = avp->data.data ? avp->data : span_of("", 0);
	return true;
}

static bool refuse(struct phase2 *phase2, const char *why)
{
	snprintf(phase2->why, sizeof(phase2->why), "%s", why);
	return false;
}

/* One that is none of ours may be left unread unless it says that it must not (RFC 5281 §10.1). */
static bool take_other(struct phase2 *phase2, const struct rg_avp *avp)
{
	if (!avp->mandatory)
		return true;
	snprintf(phase2->why, sizeof(phase2->why),
		 "broken TTLS: AVP %u of vendor %u is mandatory and not known", avp->code,
		 avp->vendor);
	return false;
}

static bool take_plain(struct phase2 *phase2, const struct rg_avp *avp)
{
	switch (avp->code) {
	case AVP_USER_NAME:
		return keep(phase2, &phase2->user_name, avp);
	case AVP_USER_PASSWORD:
		return keep(phase2, &phase2->password, avp);
	case AVP_EAP_MESSAGE:
		phase2->has_eap = true;
		buffer_put(&phase2->eap, avp->data);
		return true;
	case AVP_CHAP_PASSWORD:
	case AVP_CHAP_CHALLENGE:
		return refuse(phase2,
			      "the supplicant wants CHAP in the tunnel, which is not offered");
	}
	return take_other(phase2, avp);
}

static bool take_microsoft(struct phase2 *phase2, const struct rg_avp *avp)
{
	switch (avp->code) {
	case AVP_MS_CHAP_CHALLENGE:
		return keep(phase2, &phase2->challenge, avp);
	case AVP_MS_CHAP2_RESPONSE:
		return keep(phase2, &phase2->response, avp);
	case AVP_MS_CHAP_RESPONSE:
		return refuse(phase2,
			      "the supplicant wants MSCHAP in the tunnel, which is not offered");
	}
	return take_other(phase2, avp);
}

static bool read_all(struct phase2 *phase2, struct rg_span clear)
{
	struct rg_cursor cursor = cursor_over(clear);
	struct rg_avp avp;
	for (unsigned count = 0; avp_next(&cursor, &avp); count++) {
		bool good = count < RG_AVP_MOST || refuse(phase2, "broken TTLS: too many AVPs");
		if (good && avp.vendor == 0)
			good = take_plain(phase2, &avp);
		else if (good && avp.vendor == VENDOR_MICROSOFT)
			good = take_microsoft(phase2, &avp);
		else if (good)
			good = take_other(phase2, &avp);
		if (!good)
			return false;
	}
	return !cursor.failed || refuse(phase2, "broken TTLS: an AVP of a wrong length");
}

enum phase2_way phase2_read(struct phase2 *phase2, struct rg_span clear)
{
	*phase2 = (struct phase2){0};
	phase2->eap = buffer_over(phase2->eap_memory, sizeof(phase2->eap_memory));
	if (!read_all(phase2, clear))
		return PHASE2_REFUSED;
	bool pap = phase2->password.data, mschapv2 = phase2->response.data;
	if (pap + mschapv2 + phase2->has_eap != 1)
		refuse(phase2, "broken TTLS: no way of signing in, or several at once");
	else if (phase2->eap.failed)
		refuse(phase2, "broken TTLS: an EAP packet that is too long");
	else if (phase2->has_eap)
		return PHASE2_EAP;
	else if (!phase2->user_name.data)
		refuse(phase2, "broken TTLS: no User-Name");
	else if (pap)
		return PHASE2_PAP;
	else if (!phase2->challenge.data)
		refuse(phase2, "broken TTLS: MS-CHAP2-Response without MS-CHAP-Challenge");
	else
		return PHASE2_MSCHAPV2;
	return PHASE2_REFUSED;
}
