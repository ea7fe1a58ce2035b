/* OpenSSL's errors and TLS alerts in the words of reasons. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>

#include "eap/tls_conversation.h"
#include "eap/tls_verify.h"

static void explain(struct rg_tls *tls, enum rg_reason reason, const char *detail)
{
	tls->reason = reason;
	tls->detail = detail;
}

/* The supplicant ended it. Which alerts concern our certificate: RFC 8446 §6.2, RFC 5246 §7.2.2. */
static void explain_alert(struct rg_tls *tls, int alert)
{
	snprintf(tls->detail_text, sizeof(tls->detail_text), "TLS alert from the supplicant: %s",
		 SSL_alert_desc_string_long(alert));
	switch (alert) {
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_REVOKED:
	case SSL_AD_CERTIFICATE_EXPIRED:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_UNKNOWN_CA:
	case SSL_AD_ACCESS_DENIED:
	case SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE:
		explain(tls, RG_REASON_SUPPLICANT_DISTRUSTS_SERVER, tls->detail_text);
		return;
	case SSL_AD_HANDSHAKE_FAILURE:
	case SSL_AD_PROTOCOL_VERSION:
	case SSL_AD_INSUFFICIENT_SECURITY:
		explain(tls, RG_REASON_METHOD_REFUSED, tls->detail_text);
		return;
	default:
		explain(tls, RG_REASON_SUPPLICANT_ABANDONED, tls->detail_text);
	}
}

static void explain_ssl(struct rg_tls *tls, unsigned long error)
{
	switch (ERR_GET_REASON(error)) {
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
		if (tls->verify_error == X509_V_OK) { /* OpenSSL came to no verdict */
			explain(tls, RG_REASON_INTERNAL,
				"no memory to verify the supplicant's certificate with");
			return;
		}
		explain(tls, tls_verify_reason(tls->verify_error),
			X509_verify_cert_error_string(tls->verify_error));
		return;
	case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
		explain(tls, RG_REASON_CERTIFICATE_INVALID, "the supplicant sent no certificate");
		return;
	case SSL_R_BAD_SIGNATURE:
		explain(tls, RG_REASON_CERTIFICATE_INVALID,
			"the supplicant does not hold the key of its certificate");
		return;
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_WRONG_SSL_VERSION:
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SHARED_GROUPS:
	case SSL_R_NO_SUITABLE_GROUPS:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
	case SSL_R_INAPPROPRIATE_FALLBACK:
		snprintf(tls->detail_text, sizeof(tls->detail_text),
			 "no TLS version, cipher or group in common: %s",
			 ERR_reason_error_string(error));
		explain(tls, RG_REASON_METHOD_REFUSED, tls->detail_text);
		return;
	case ERR_R_ASN1_LIB:
	case SSL_R_UNKNOWN_CERTIFICATE_TYPE:
	case SSL_R_CERT_LENGTH_MISMATCH:
	case SSL_R_WRONG_CERTIFICATE_TYPE:
		explain(tls, RG_REASON_CERTIFICATE_INVALID,
			"the supplicant's certificate cannot be read");
		return;
	case ERR_R_MALLOC_FAILURE:
		explain(tls, RG_REASON_INTERNAL, "no memory");
		return;
	default:
		snprintf(tls->detail_text, sizeof(tls->detail_text), "broken TLS: %s",
			 ERR_reason_error_string(error) ? ERR_reason_error_string(error)
							: "no reason given");
		explain(tls, RG_REASON_METHOD_REFUSED, tls->detail_text);
	}
}

/* Above those stand the reasons that all of OpenSSL shares, such as want of memory. */
static bool is_alert(int reason)
{
	return reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256;
}

void tls_explain(struct rg_tls *tls)
{
	unsigned long error = ERR_peek_last_error();
	if (SSL_get_pending_cipher(tls->ssl)) /* both sides had agreed */
		tls->proof.tls_version = tls_is_1_3(tls) ? "1.3" : "1.2";
	if (tls->overrun && tls->records > RG_TLS_RECORDS_MOST) {
		explain(tls, RG_REASON_METHOD_REFUSED, "broken EAP-TLS: too many TLS records");
	} else if (tls->overrun) {
		explain(tls, RG_REASON_INTERNAL,
			"a TLS message of ours grew too long, or no memory");
	} else if (ERR_GET_LIB(error) != ERR_LIB_SSL) {
		/* Below TLS: only a certificate of the supplicant gets there with bad input. */
		snprintf(tls->detail_text, sizeof(tls->detail_text), "OpenSSL: %s",
			 ERR_reason_error_string(error) ? ERR_reason_error_string(error)
							: "no reason given");
		explain(tls, RG_REASON_INTERNAL, tls->detail_text);
	} else if (is_alert(ERR_GET_REASON(error))) {
		explain_alert(tls, ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET);
	} else {
		explain_ssl(tls, error);
	}
	ERR_clear_error();
}
