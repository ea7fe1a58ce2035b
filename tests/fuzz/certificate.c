/* Names in a certificate. The first octet says how the rest makes a
 * certificate: it is one, it is an extension or a subject of one, or it says what names one bears.
 */
#include "fuzz.h"

#include <openssl/err.h>

#include "core/text.h"
#include "directory/mapping.h"
#include "general_name.h"
#include "tls/certificate.h"

#define SID_EXTENSION "1.3.6.1.4.1.311.25.2"
#define SID_NAME      "1.3.6.1.4.1.311.25.2.1"
#define UPN_NAME      "1.3.6.1.4.1.311.20.2.3"
#define NAMES_KEPT    16

enum mode { MODE_WHOLE, MODE_ALTNAMES, MODE_SID, MODE_SUBJECT, MODE_NAMES, MODES };

/* What was put into it; only in MODE_NAMES. */
struct borne {
	bool known;
	struct rg_span names[NAMES_KEPT]; /* of the kinds that are octets in any case */
	size_t name_count;
};

static X509 *template;
static X509_NAME *nobody;
static ASN1_OBJECT *sid_extension, *sid_name, *upn_name;

static void set_up(void)
{
	if (template)
		return;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	template = X509_new();
	nobody = X509_NAME_new();
	sid_extension = OBJ_txt2obj(SID_EXTENSION, 1);
	sid_name = OBJ_txt2obj(SID_NAME, 1);
	upn_name = OBJ_txt2obj(UPN_NAME, 1);
	X509_NAME *issuer = X509_get_issuer_name(template);
	X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_UTF8, (const uint8_t *)"CA", -1, -1, 0);
	X509_NAME_add_entry_by_txt(issuer, "O", MBSTRING_UTF8, (const uint8_t *)"Beuningen, x", -1,
				   -1, 0);
	ASN1_INTEGER_set(X509_get_serialNumber(template), 0x1122334455);
	X509_gmtime_adj(X509_getm_notBefore(template), 0);
	X509_gmtime_adj(X509_getm_notAfter(template), 86400);
	MUST(X509_set_pubkey(template, key) && X509_sign(template, key, EVP_sha256()) > 0);
	EVP_PKEY_free(key);
}

static void add_raw(X509 *certificate, const ASN1_OBJECT *object, struct rg_span value)
{
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	MUST(octets && ASN1_OCTET_STRING_set(octets, value.data, (int)value.length));
	X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
	MUST(extension && X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(octets);
}

static void add(GENERAL_NAMES *names, GENERAL_NAME *name)
{
	MUST(sk_GENERAL_NAME_push(names, name));
}

static void keep(struct borne *borne, struct rg_span value)
{
	MUST(borne->name_count < NAMES_KEPT);
	borne->names[borne->name_count++] = value;
}

static void add_subject(X509 *certificate, uint8_t how, struct rg_span value)
{
	static const int types[] = {V_ASN1_UTF8STRING, V_ASN1_PRINTABLESTRING, V_ASN1_BMPSTRING,
				    V_ASN1_T61STRING,  V_ASN1_UNIVERSALSTRING, V_ASN1_IA5STRING};
	X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate),
				   how & 1 ? NID_commonName : NID_organizationName,
				   types[(how >> 1) % 6], value.data, (int)value.length, -1, 0);
}

static void bear_names(X509 *certificate, struct rg_cursor *cursor, struct borne *borne)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null(), *sids = sk_GENERAL_NAME_new_null();
	MUST(names && sids);
	borne->known = true;
	for (unsigned i = 0; i < NAMES_KEPT && cursor_left(cursor) > 1; i++) {
		uint8_t kind = cursor_u8(cursor);
		struct rg_span value = piece_next(cursor);
		switch (kind % 8) {
		case 0:
			add(names, general_name(GEN_EMAIL, V_ASN1_IA5STRING, value));
			keep(borne, value);
			break;
		case 1:
			add(names, general_name(GEN_DNS, V_ASN1_IA5STRING, value));
			keep(borne, value);
			break;
		case 2:
			add(names, general_name(GEN_URI, V_ASN1_IA5STRING, value));
			break;
		case 3:
			add(names, general_name_other(upn_name, V_ASN1_UTF8STRING, value));
			keep(borne, value);
			break;
		case 4:
			add(names, general_name_other(upn_name, V_ASN1_BMPSTRING, value));
			break;
		case 5:
			add(sids, general_name_other(sid_name, V_ASN1_OCTET_STRING, value));
			break;
		default:
			add_subject(certificate, (uint8_t)(kind >> 2), value);
		}
	}
	if (sk_GENERAL_NAME_num(names) > 0)
		MUST(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1);
	if (sk_GENERAL_NAME_num(sids) > 0) {
		uint8_t *der = NULL;
		int length = i2d_GENERAL_NAMES(sids, &der);
		if (length > 0)
			add_raw(certificate, sid_extension, span_of(der, (size_t)length));
		OPENSSL_free(der);
	}
	GENERAL_NAMES_free(names);
	GENERAL_NAMES_free(sids);
}

static X509 *certificate_made(enum mode mode, struct rg_cursor *cursor, struct borne *borne)
{
	if (mode == MODE_WHOLE) {
		struct rg_span whole = cursor_rest(cursor);
		const uint8_t *at = whole.data;
		return d2i_X509(NULL, &at, (long)whole.length);
	}
	X509 *certificate = template;
	while (X509_get_ext_count(certificate) > 0)
		X509_EXTENSION_free(X509_delete_ext(certificate, 0));
	X509_set_subject_name(certificate, nobody);
	if (mode == MODE_NAMES)
		bear_names(certificate, cursor, borne);
	struct rg_span part = mode == MODE_NAMES ? (struct rg_span){0} : piece_next(cursor);
	const uint8_t *at = part.data;
	if (mode == MODE_ALTNAMES)
		add_raw(certificate, OBJ_nid2obj(NID_subject_alt_name), part);
	if (mode == MODE_SID)
		add_raw(certificate, sid_extension, part);
	X509_NAME *subject =
		mode == MODE_SUBJECT ? d2i_X509_NAME(NULL, &at, (long)part.length) : NULL;
	if (subject)
		X509_set_subject_name(certificate, subject);
	X509_NAME_free(subject);
	return certificate;
}

/* UTF-8 throughout, and no control character. */
static void printable(const char *text)
{
	size_t length = strlen(text);
	for (size_t at = 0; at < length;) {
		unsigned long character;
		int octets = UTF8_getc((const uint8_t *)text + at, (int)(length - at), &character);
		MUST(octets > 0 && (character < 0xd800 || character > 0xdfff));
		MUST(character >= 0x20 && (character < 0x7f || character > 0x9f));
		at += (size_t)octets;
	}
}

static bool is_borne(const struct borne *borne, struct rg_span name)
{
	for (size_t i = 0; i < borne->name_count; i++)
		if (span_equal(borne->names[i], name))
			return true;
	return false;
}

static void identity(const X509 *certificate, const struct borne *borne, uint8_t order)
{
	int kinds[4] = {RG_NAME_SAN_UPN, RG_NAME_SAN_EMAIL, RG_NAME_SUBJECT_CN, RG_NAME_SAN_DNS};
	char out[256], small[32];
	enum rg_name_kind kind, other;
	int first = kinds[order % 4];
	kinds[order % 4] = kinds[0];
	kinds[0] = first;
	const struct rg_choices choices = {kinds, 1 + (order >> 2) % 4u};
	if (!certificate_identity(certificate, &choices, out, sizeof(out), &kind)) {
		MUST(out[0] == '\0');
	} else {
		const char *prefix = kind == RG_NAME_SAN_DNS ? "host/" : "";
		size_t before = strlen(prefix);
		MUST(strlen(out) > before && strncmp(out, prefix, before) == 0);
		printable(out);
		if (borne->known && kind != RG_NAME_SUBJECT_CN)
			MUST(is_borne(borne, span_text(out + before)));
	}
	/* And into less room, where the input has room for that. */
	if (order % 8 == 0 &&
	    certificate_identity(certificate, &choices, small, sizeof(small), &other))
		MUST(strlen(small) < sizeof(small));
}

/* Whatever certificate it is, it is nobody's before an account was read. */
static void unmapped(struct rg_span der)
{
	static const int ways[] = {RG_MAPPING_SID, RG_MAPPING_ALTSECID, RG_MAPPING_UPN};
	struct rg_mapping *mapping = mapping_new(der);
	const char *why = NULL;
	MUST(!mapping || !mapping_holds(mapping, &(struct rg_choices){ways, 3}, &why));
	MUST(!mapping || why[0]);
	mapping_free(&mapping);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	struct borne borne = {0};
	char subject[256];
	uint8_t *der = NULL;
	set_up();
	uint8_t head = cursor_u8(&cursor);
	X509 *certificate = certificate_made(head % MODES, &cursor, &borne);
	ERR_clear_error();
	if (!certificate)
		return 0;
	identity(certificate, &borne, (uint8_t)(head / MODES));
	certificate_subject(certificate, subject, sizeof(subject));
	for (const char *at = subject; *at; at++)
		MUST((uint8_t)*at >= 0x20 && *at != 0x7f && *at != '"');
	certificate_has_dns(certificate);
	certificate_dns_matches_cn(certificate);
	certificate_has_wildcard(certificate);
	certificate_time(X509_get0_notAfter(certificate));
	/* To read a certificate costs OpenSSL a hundred times what its names cost. */
	int length = (head & 0xc0) == 0xc0 ? i2d_X509(certificate, &der) : 0;
	if (length > 0)
		unmapped(span_of(der, (size_t)length));
	OPENSSL_free(der);
	if (certificate != template)
		X509_free(certificate);
	ERR_clear_error();
	return 0;
}
