/* What OpenSSL complains of, in the words of reasons: a helpdesk reads nothing else. */
#include "eap/tls_conversation.h"

#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

static SSL_CTX *context;

static int set_up(void **state)
{
	(void)state;
	context = SSL_CTX_new(TLS_server_method());
	return context ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	SSL_CTX_free(context);
	return 0;
}

/* detail: a part of it. */
static void expect(struct rg_tls tls, int library, int error, enum rg_reason reason,
		   const char *detail)
{
	tls.ssl = SSL_new(context);
	assert_non_null(tls.ssl);
	ERR_raise(library, error);
	tls_explain(&tls);
	SSL_free(tls.ssl);
	if (tls.reason != reason || !strstr(tls.detail, detail))
		print_message("%d: %s, %s\n", error, reason_word(tls.reason), tls.detail);
	assert_int_equal(tls.reason, reason);
	assert_non_null(strstr(tls.detail, detail));
	assert_int_equal(ERR_peek_error(), 0);
}

static void of_tls(int error, enum rg_reason reason, const char *detail)
{
	expect((struct rg_tls){.verify_error = X509_V_OK}, ERR_LIB_SSL, error, reason, detail);
}

static void of_alert(int alert, enum rg_reason reason, const char *detail)
{
	of_tls(SSL_AD_REASON_OFFSET + alert, reason, detail);
}

static void test_alerts_about_our_certificate(void **state)
{
	static const int alerts[] = {
		SSL_AD_BAD_CERTIFICATE,     SSL_AD_UNSUPPORTED_CERTIFICATE,
		SSL_AD_CERTIFICATE_REVOKED, SSL_AD_CERTIFICATE_EXPIRED,
		SSL_AD_CERTIFICATE_UNKNOWN, SSL_AD_UNKNOWN_CA,
		SSL_AD_ACCESS_DENIED,       SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE};
	(void)state;
	for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++)
		of_alert(alerts[i], RG_REASON_SUPPLICANT_DISTRUSTS_SERVER,
			 "alert from the supplicant");
	of_alert(SSL_AD_UNKNOWN_CA, RG_REASON_SUPPLICANT_DISTRUSTS_SERVER, "unknown CA");
}

static void test_alerts_about_what_is_spoken(void **state)
{
	(void)state;
	of_alert(SSL_AD_HANDSHAKE_FAILURE, RG_REASON_METHOD_REFUSED, "handshake failure");
	of_alert(SSL_AD_PROTOCOL_VERSION, RG_REASON_METHOD_REFUSED, "protocol version");
	of_alert(SSL_AD_INSUFFICIENT_SECURITY, RG_REASON_METHOD_REFUSED, "insufficient security");
}

static void test_alerts_of_somebody_who_leaves(void **state)
{
	(void)state;
	of_alert(SSL_AD_USER_CANCELLED, RG_REASON_SUPPLICANT_ABANDONED, "user canceled");
	of_alert(SSL_AD_INTERNAL_ERROR, RG_REASON_SUPPLICANT_ABANDONED, "internal error");
}

static void test_nothing_in_common(void **state)
{
	static const int errors[] = {SSL_R_UNSUPPORTED_PROTOCOL,
				     SSL_R_VERSION_TOO_LOW,
				     SSL_R_WRONG_SSL_VERSION,
				     SSL_R_NO_SHARED_CIPHER,
				     SSL_R_NO_SHARED_GROUPS,
				     SSL_R_NO_SUITABLE_GROUPS,
				     SSL_R_NO_SUITABLE_KEY_SHARE,
				     SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
				     SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS,
				     SSL_R_INAPPROPRIATE_FALLBACK};
	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		of_tls(errors[i], RG_REASON_METHOD_REFUSED,
		       "no TLS version, cipher or group in common");
}

static void test_certificates_that_are_none(void **state)
{
	(void)state;
	of_tls(ERR_R_ASN1_LIB, RG_REASON_CERTIFICATE_INVALID, "cannot be read");
	of_tls(SSL_R_UNKNOWN_CERTIFICATE_TYPE, RG_REASON_CERTIFICATE_INVALID, "cannot be read");
	of_tls(SSL_R_CERT_LENGTH_MISMATCH, RG_REASON_CERTIFICATE_INVALID, "cannot be read");
	of_tls(SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, RG_REASON_CERTIFICATE_INVALID,
	       "sent no certificate");
	of_tls(SSL_R_BAD_SIGNATURE, RG_REASON_CERTIFICATE_INVALID, "does not hold the key");
}

static void test_E5_a_verdict_on_the_certificate(void **state)
{
	(void)state;
	expect((struct rg_tls){.verify_error = X509_V_ERR_CERT_HAS_EXPIRED}, ERR_LIB_SSL,
	       SSL_R_CERTIFICATE_VERIFY_FAILED, RG_REASON_CERTIFICATE_EXPIRED, "expired");
}

/* Found by tests/fuzz/conversation: a refusal without a reason, where OpenSSL never came to look at
 * the certificate. */
static void test_E5_no_verdict_on_the_certificate_is_none_for_want_of_memory(void **state)
{
	(void)state;
	of_tls(SSL_R_CERTIFICATE_VERIFY_FAILED, RG_REASON_INTERNAL, "memory");
}

/* Want of memory was taken for an alert of the supplicant's. */
static void test_what_is_ours(void **state)
{
	(void)state;
	of_tls(ERR_R_MALLOC_FAILURE, RG_REASON_INTERNAL, "no memory");
	expect((struct rg_tls){.reason = 0}, ERR_LIB_EVP, ERR_R_INTERNAL_ERROR, RG_REASON_INTERNAL,
	       "OpenSSL: internal error");
	expect((struct rg_tls){.overrun = true}, ERR_LIB_SSL, ERR_R_INTERNAL_ERROR,
	       RG_REASON_INTERNAL, "grew too long");
}

static void test_E8_more_records_than_a_handshake_has(void **state)
{
	(void)state;
	expect((struct rg_tls){.overrun = true, .records = RG_TLS_RECORDS_MOST + 1}, ERR_LIB_SSL,
	       ERR_R_INTERNAL_ERROR, RG_REASON_METHOD_REFUSED, "too many TLS records");
}

static void test_all_else_is_broken_tls(void **state)
{
	(void)state;
	of_tls(SSL_R_UNEXPECTED_MESSAGE, RG_REASON_METHOD_REFUSED,
	       "broken TLS: unexpected message");
	of_tls(143, RG_REASON_METHOD_REFUSED, "broken TLS: no reason given");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alerts_about_our_certificate),
		cmocka_unit_test(test_alerts_about_what_is_spoken),
		cmocka_unit_test(test_alerts_of_somebody_who_leaves),
		cmocka_unit_test(test_nothing_in_common),
		cmocka_unit_test(test_certificates_that_are_none),
		cmocka_unit_test(test_E5_a_verdict_on_the_certificate),
		cmocka_unit_test(test_E5_no_verdict_on_the_certificate_is_none_for_want_of_memory),
		cmocka_unit_test(test_what_is_ours),
		cmocka_unit_test(test_E8_more_records_than_a_handshake_has),
		cmocka_unit_test(test_all_else_is_broken_tls),
	};
	return cmocka_run_group_tests_name("eap/tls_explain", tests, set_up, tear_down);
}
