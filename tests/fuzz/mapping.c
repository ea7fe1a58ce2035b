/* Values of an account in Active Directory, against certificates that are mapped to one account by
 * each way there is. Any octets may stand there: what maps must say the same as the certificate. */
#include "fuzz.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "core/text.h"
#include "directory/dn.h"
#include "directory/mapping.h"
#include "directory/sid.h"

#define UPN  "jan@beuningen.nl"
#define HOST "laptop7.beuningen.nl"
#define SID  "S-1-5-21-1004336348-1177238915-682003330-1104"
#define SKI  "6b6579206964656e746966696572" /* in hexadecimal */

static struct rg_mapping *mappings[2];

static void push(GENERAL_NAMES *names, int kind, const char *text)
{
	GENERAL_NAME *name = a2i_GENERAL_NAME(NULL, NULL, NULL, kind, text, 0);
	MUST(name && sk_GENERAL_NAME_push(names, name));
}

static void add(X509 *certificate, const char *type, GENERAL_NAMES *names)
{
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *object = OBJ_txt2obj(type, 1);
	uint8_t *der = NULL;
	int length = i2d_GENERAL_NAMES(names, &der);
	MUST(object && length > 0 && ASN1_OCTET_STRING_set(octets, der, length));
	X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
	MUST(extension && X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
	ASN1_OBJECT_free(object);
	ASN1_OCTET_STRING_free(octets);
	OPENSSL_free(der);
	GENERAL_NAMES_free(names);
}

/* extension: the SID stands in one of its own ([MS-WCCE] 2.2.2.7.7.4); else in a URI. */
static void add_names(X509 *certificate, bool extension)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null(), *sids = sk_GENERAL_NAME_new_null();
	ASN1_OCTET_STRING *identifier = ASN1_OCTET_STRING_new();
	MUST(names && sids && identifier);
	push(names, GEN_OTHERNAME, "1.3.6.1.4.1.311.20.2.3;UTF8:" UPN);
	push(names, GEN_DNS, HOST);
	push(extension ? sids : names, extension ? GEN_OTHERNAME : GEN_URI,
	     extension ? "1.3.6.1.4.1.311.25.2.1;FORMAT:ASCII,OCT:" SID
		       : "tag:microsoft.com,2022-09-14:sid:" SID);
	add(certificate, "2.5.29.17", names);
	if (extension)
		add(certificate, "1.3.6.1.4.1.311.25.2", sids);
	else
		GENERAL_NAMES_free(sids);
	MUST(ASN1_OCTET_STRING_set(identifier, (const uint8_t *)"key identifier", 14));
	MUST(X509_add1_ext_i2d(certificate, NID_subject_key_identifier, identifier, 0, 0) == 1);
	ASN1_OCTET_STRING_free(identifier);
}

static struct rg_mapping *mapping_make(bool extension)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *issuer = X509_get_issuer_name(certificate);
	uint8_t *der = NULL;
	X509_NAME_add_entry_by_txt(issuer, "C", MBSTRING_UTF8, (const uint8_t *)"NL", -1, -1, 0);
	X509_NAME_add_entry_by_txt(issuer, "O", MBSTRING_UTF8, (const uint8_t *)"Beuningen, x", -1,
				   -1, 0);
	X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_UTF8, (const uint8_t *)"Staff CA", -1, -1,
				   0);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 0x112233);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	add_names(certificate, extension);
	MUST(X509_set_pubkey(certificate, key) && X509_sign(certificate, key, EVP_sha256()) > 0);
	int length = i2d_X509(certificate, &der);
	struct rg_mapping *mapping = mapping_new(span_of(der, (size_t)length));
	MUST(mapping);
	OPENSSL_free(der);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return mapping;
}

static bool holds(const struct rg_mapping *mapping, enum rg_mapping_way way)
{
	int one = (int)way;
	const char *why = NULL;
	bool result = mapping_holds(mapping, &(struct rg_choices){&one, 1}, &why);
	MUST(why && (result == (why[0] == '\0')));
	return result;
}

static bool begins(struct rg_span value, const char *with)
{
	size_t length = strlen(with);
	return value.length >= length &&
	       text_equal_nocase(span_of(value.data, length), span_text(with));
}

static void issuer_and_serial(struct rg_span value)
{
	static const char issuer[] = "C=NL,O=Beuningen\\, x,CN=Staff CA";
	char text[512];
	struct rg_cursor cursor = cursor_over(value);
	MUST(begins(value, "X509:<I>") && value.length > 8 + 10);
	cursor_take(&cursor, 8); /* X509:<I> */
	struct rg_span name = cursor_take(&cursor, cursor_left(&cursor) - 10);
	MUST(begins(cursor_rest(&cursor), "<SR>332211"));
	MUST(text_from_span(text, sizeof(text), name) && dn_equal(text, issuer));
}

/* The strong ones that there are for these certificates: but for spaces, case and the spelling of
 * the issuer they are these. */
static void altsecid(struct rg_span value)
{
	struct rg_span rest = span_of(value.data + 5, value.length - 5);
	MUST(begins(value, "X509:"));
	if (begins(rest, "<SKI>"))
		MUST(value.length == 10 + strlen(SKI) && begins(rest, "<SKI>" SKI));
	else if (begins(rest, "<SHA1-PUKEY>"))
		MUST(value.length == 5 + 12 + 40);
	else
		issuer_and_serial(value);
}

static void one_value(struct rg_mapping *mapping, uint8_t which, struct rg_span value)
{
	struct rg_sid sid, ours;
	mapping_read(mapping, span_text(mapping_attributes[which]), value);
	bool by_sid = holds(mapping, RG_MAPPING_SID);
	bool by_altsecid = holds(mapping, RG_MAPPING_ALTSECID);
	bool by_name = holds(mapping, RG_MAPPING_UPN);
	MUST(by_sid + by_altsecid + by_name <= 1);
	MUST(sid_parse(&ours, span_text(SID)));
	if (which == 0)
		MUST(by_sid == (sid_read(&sid, value) && sid_equal(&sid, &ours)));
	if (which == 2)
		MUST(by_name == text_equal_nocase(value, span_text(UPN)));
	if (which == 3)
		MUST(by_name == text_equal_nocase(value, span_text(HOST)));
	MUST(!by_sid || which == 0);
	MUST(!by_altsecid || which == 1);
	if (by_altsecid)
		altsecid(value);
	mapping_reset(mapping);
	MUST(!holds(mapping, RG_MAPPING_SID) && !holds(mapping, RG_MAPPING_ALTSECID));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	for (unsigned i = 0; i < 2; i++)
		if (!mappings[i])
			mappings[i] = mapping_make(i == 0);
	for (unsigned i = 0; i < 8 && cursor_left(&cursor) > 1; i++) {
		uint8_t which = cursor_u8(&cursor);
		one_value(mappings[which >> 2 & 1], which % 4, piece_next(&cursor));
	}
	return 0;
}
