#include "supplicant/server_certificate.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"

int server_certificate_verify(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct rg_server_trust *trust = SSL_get_app_data(ssl);
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	if (!trust->leaf && leaf && X509_up_ref(leaf) == 1)
		trust->leaf = leaf;
	if (!ok) {
		if (trust->error == X509_V_OK)
			trust->error = X509_STORE_CTX_get_error(store);
		return 0;
	}
	if (X509_STORE_CTX_get_error_depth(store) != 0)
		return 1;
	/* All ones stand for an absent extension. */
	uint32_t usage = X509_get_extended_key_usage(leaf);
	if (usage == UINT32_MAX || !(usage & XKU_SSL_SERVER)) {
		trust->no_server_auth = true;
		trust->error = X509_V_ERR_INVALID_PURPOSE;
		X509_STORE_CTX_set_error(store, trust->error);
		return 0;
	}
	return 1;
}

const char *server_trust_error(const struct rg_server_trust *trust)
{
	if (trust->no_server_auth)
		return "the certificate does not say serverAuth";
	switch (trust->error) {
	case X509_V_OK:
		return NULL;
	case X509_V_ERR_HOSTNAME_MISMATCH:
		return "the expected server name is not in the certificate";
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return "another CA than the one given has signed the certificate";
	default: /* OpenSSL has a sentence for each of the others */
		return X509_verify_cert_error_string(trust->error);
	}
}

static void describe_name(char *out, size_t capacity, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	out[0] = '\0';
	/* UTF-8 as it is; control characters are text_escape's. */
	unsigned long flags =
		XN_FLAG_RFC2253 & ~(unsigned long)(ASN1_STRFLGS_ESC_MSB | ASN1_STRFLGS_ESC_CTRL);
	if (bio && X509_NAME_print_ex(bio, name, 0, flags) >= 0) {
		char *data = NULL;
		long length = BIO_get_mem_data(bio, &data);
		if (length > 0)
			text_escape(out, capacity, span_of(data, (size_t)length));
	}
	BIO_free(bio);
}

/* One subjectAltName as text into out; false: of a kind that a supplicant does not look at. */
static bool describe_san(char *out, size_t capacity, const GENERAL_NAME *name)
{
	int kind;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &kind);
	if (kind == GEN_DNS || kind == GEN_EMAIL || kind == GEN_URI) {
		text_escape(
			out, capacity,
			span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)));
		return true;
	}
	if (kind != GEN_IPADD)
		return false;
	int family = ASN1_STRING_length(value) == 4 ? AF_INET : AF_INET6;
	if (family == AF_INET6 && ASN1_STRING_length(value) != 16)
		return false;
	return inet_ntop(family, ASN1_STRING_get0_data(value), out, (socklen_t)capacity) != NULL;
}

static void describe_sans(char *out, size_t capacity, const X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	size_t length = 0;
	out[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		char one[256];
		if (!describe_san(one, sizeof(one), sk_GENERAL_NAME_value(names, i)))
			continue;
		size_t size = strlen(one);
		if (length + size + 3 > capacity)
			break;
		if (length != 0)
			out[length++] = ' ';
		memcpy(out + length, one, size + 1);
		length += size;
	}
	GENERAL_NAMES_free(names);
}

void server_certificate_describe(struct rg_server_certificate *out, X509 *certificate)
{
	struct tm tm;
	describe_name(out->subject, sizeof(out->subject), X509_get_subject_name(certificate));
	describe_name(out->issuer, sizeof(out->issuer), X509_get_issuer_name(certificate));
	describe_sans(out->sans, sizeof(out->sans), certificate);
	out->not_after[0] = '\0';
	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) == 1)
		strftime(out->not_after, sizeof(out->not_after), "%Y-%m-%dT%H:%M:%SZ", &tm);
}
