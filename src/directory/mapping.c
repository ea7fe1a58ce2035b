#include "directory/mapping.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "core/text.h"
#include "directory/dn.h"

#define SID_EXTENSION "1.3.6.1.4.1.311.25.2"   /* szOID_NTDS_CA_SECURITY_EXT */
#define SID_NAME      "1.3.6.1.4.1.311.25.2.1" /* szOID_NTDS_OBJECTSID */
/* What CAs write that issue to devices over SCEP, as a URI of the subjectAltName. */
#define SID_TAG    "tag:microsoft.com,2022-09-14:sid:"
#define VALUE_MOST 4096u

struct rg_mapping {
	X509 *certificate;
	GENERAL_NAMES *names;
	char *issuer; /* dn_normal of it, written from the root down */
	char serial[2 * 64 + 1], key_identifier[2 * 64 + 1], key_digest[2 * 20 + 1];
	struct rg_sid sid;
	bool same_sid, same_altsecid, same_name;
};

const char *const mapping_attributes[] = {"objectSid", "altSecurityIdentities", "userPrincipalName",
					  "dNSHostName", NULL};

static struct rg_span span_asn1(const ASN1_STRING *string)
{
	return span_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

/* The value of an otherName of that type and ASN.1 tag; empty: it is another name. */
static struct rg_span other_name(const GENERAL_NAME *name, const char *type, int tag)
{
	char found[80];
	if (name->type != GEN_OTHERNAME || name->d.otherName->value->type != tag)
		return span_of(NULL, 0);
	OBJ_obj2txt(found, sizeof(found), name->d.otherName->type_id, 1);
	return strcmp(found, type) == 0 ? span_asn1(name->d.otherName->value->value.asn1_string)
					: span_of(NULL, 0);
}

static bool sid_of_extension(struct rg_mapping *mapping)
{
	ASN1_OBJECT *object = OBJ_txt2obj(SID_EXTENSION, 1);
	int at = object ? X509_get_ext_by_OBJ(mapping->certificate, object, -1) : -1;
	ASN1_OBJECT_free(object);
	if (at < 0)
		return false;
	struct rg_span value =
		span_asn1(X509_EXTENSION_get_data(X509_get_ext(mapping->certificate, at)));
	const unsigned char *from = value.data;
	GENERAL_NAMES *names = d2i_GENERAL_NAMES(NULL, &from, (long)value.length);
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && mapping->sid.length == 0; i++)
		sid_parse(&mapping->sid, other_name(sk_GENERAL_NAME_value(names, i), SID_NAME,
						    V_ASN1_OCTET_STRING));
	GENERAL_NAMES_free(names);
	return true;
}

static void sid_of_names(struct rg_mapping *mapping)
{
	const size_t length = strlen(SID_TAG);
	for (int i = 0; i < sk_GENERAL_NAME_num(mapping->names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(mapping->names, i);
		if (name->type != GEN_URI)
			continue;
		struct rg_cursor from = cursor_over(span_asn1(name->d.uniformResourceIdentifier));
		if (span_equal(cursor_take(&from, length), span_text(SID_TAG)) &&
		    sid_parse(&mapping->sid, cursor_rest(&from)))
			return;
	}
}

/* As Windows writes it: the first RDN of the certificate first. */
static char *issuer_text(const X509 *certificate)
{
	const unsigned long flags = XN_FLAG_SEP_COMMA_PLUS | XN_FLAG_FN_SN |
				    (ASN1_STRFLGS_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	char *text = NULL, *normal = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	if (bio && X509_NAME_print_ex(bio, X509_get_issuer_name(certificate), 0, flags) >= 0 &&
	    BIO_write(bio, "", 1) == 1 && BIO_get_mem_data(bio, &text) > 0)
		normal = dn_normal(text);
	BIO_free(bio);
	return normal;
}

/* "Serial number is reversed": its last octet first. */
static void serial_text(struct rg_mapping *mapping)
{
	uint8_t reversed[64];
	struct rg_span serial = span_asn1(X509_get0_serialNumber(mapping->certificate));
	if (serial.length > sizeof(reversed))
		return;
	for (size_t i = 0; i < serial.length; i++)
		reversed[i] = serial.data[serial.length - 1 - i];
	text_hex(mapping->serial, span_of(reversed, serial.length));
}

static void key_texts(struct rg_mapping *mapping)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	const ASN1_OCTET_STRING *identifier = X509_get0_subject_key_id(mapping->certificate);
	if (identifier && ASN1_STRING_length(identifier) <= 64)
		text_hex(mapping->key_identifier, span_asn1(identifier));
	/* Of the BIT STRING's octets, as .NET's GetPublicKey gives them. */
	if (X509_pubkey_digest(mapping->certificate, EVP_sha1(), digest, &length) == 1)
		text_hex(mapping->key_digest, span_of(digest, length));
}

struct rg_mapping *mapping_new(struct rg_span certificate)
{
	const unsigned char *from = certificate.data;
	struct rg_mapping *mapping = calloc(1, sizeof(*mapping));
	if (!mapping)
		return NULL;
	mapping->certificate = d2i_X509(NULL, &from, (long)certificate.length);
	if (mapping->certificate)
		mapping->issuer = issuer_text(mapping->certificate);
	if (!mapping->issuer) {
		mapping_free(&mapping);
		return NULL;
	}
	mapping->names = X509_get_ext_d2i(mapping->certificate, NID_subject_alt_name, NULL, NULL);
	/* An extension that holds no SID is no licence to look elsewhere for one. */
	if (!sid_of_extension(mapping))
		sid_of_names(mapping);
	serial_text(mapping);
	key_texts(mapping);
	return mapping;
}

void mapping_free(struct rg_mapping **freed)
{
	struct rg_mapping *mapping = *freed;
	*freed = NULL;
	if (!mapping)
		return;
	GENERAL_NAMES_free(mapping->names);
	X509_free(mapping->certificate);
	free(mapping->issuer);
	free(mapping);
}

void mapping_reset(struct rg_mapping *mapping)
{
	mapping->same_sid = mapping->same_altsecid = mapping->same_name = false;
}

/* What follows the prefix, without regard to its case; false: it begins otherwise. */
static bool take_prefix(struct rg_span *value, const char *prefix)
{
	size_t length = strlen(prefix);
	if (value->length < length ||
	    !text_equal_nocase(span_of(value->data, length), span_text(prefix)))
		return false;
	*value = span_of(value->data + length, value->length - length);
	return true;
}

/* Windows has short names of two types that LDAP has none, or others, for. */
static void put_issuer(struct rg_buffer *to, struct rg_span text)
{
	bool begins = true;
	for (size_t i = 0; i < text.length; i++) {
		uint8_t octet = text.data[i];
		bool alone = begins && i + 1 < text.length && text.data[i + 1] == '=';
		if (alone && (octet == 'S' || octet == 's'))
			buffer_put(to, span_text("ST"));
		else if (alone && (octet == 'E' || octet == 'e'))
			buffer_put(to, span_text("emailAddress"));
		else
			buffer_u8(to, octet);
		begins = octet == ',' || octet == '+' || (begins && octet == ' ');
	}
	buffer_u8(to, 0);
}

static bool same_issuer(const struct rg_mapping *mapping, struct rg_span text)
{
	char room[VALUE_MOST];
	struct rg_buffer to = buffer_over(room, sizeof(room));
	if (memchr(text.data, 0, text.length))
		return false;
	put_issuer(&to, text);
	char *normal = to.failed ? NULL : dn_normal(room);
	bool same = normal && strcmp(normal, mapping->issuer) == 0;
	free(normal);
	return same;
}

static bool same_text(const char *own, struct rg_span value)
{
	return *own && text_equal_nocase(span_text(own), value);
}

/* The last "<SR>" of the value, or NULL. */
static const uint8_t *find_serial(struct rg_span value)
{
	for (size_t at = value.length; at-- > 0;) {
		struct rg_span rest = span_of(value.data + at, value.length - at);
		if (take_prefix(&rest, "<SR>"))
			return value.data + at;
	}
	return NULL;
}

/* The strong ones of the forms of [MS-PKCA] 3.1.5.2.1.3; others are passed over. */
static bool same_altsecid(const struct rg_mapping *mapping, struct rg_span value)
{
	if (!take_prefix(&value, "X509:"))
		return false;
	if (take_prefix(&value, "<SKI>"))
		return same_text(mapping->key_identifier, value);
	if (take_prefix(&value, "<SHA1-PUKEY>"))
		return same_text(mapping->key_digest, value);
	const uint8_t *serial = take_prefix(&value, "<I>") ? find_serial(value) : NULL;
	if (!serial)
		return false;
	size_t before = (size_t)(serial - value.data);
	return same_text(mapping->serial, span_of(serial + 4, value.length - before - 4)) &&
	       same_issuer(mapping, span_of(value.data, before));
}

static bool has_name(const struct rg_mapping *mapping, bool host, struct rg_span value)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(mapping->names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(mapping->names, i);
		struct rg_span own = span_of(NULL, 0);
		if (host && name->type == GEN_DNS)
			own = span_asn1(name->d.dNSName);
		else if (!host)
			own = other_name(name, "1.3.6.1.4.1.311.20.2.3", V_ASN1_UTF8STRING);
		if (own.length > 0 && text_equal_nocase(own, value))
			return true;
	}
	return false;
}

void mapping_read(struct rg_mapping *mapping, struct rg_span attribute, struct rg_span value)
{
	struct rg_sid sid;
	if (text_equal_nocase(attribute, span_text("objectSid")))
		mapping->same_sid |= sid_read(&sid, value) && sid_equal(&sid, &mapping->sid);
	else if (text_equal_nocase(attribute, span_text("altSecurityIdentities")))
		mapping->same_altsecid |= same_altsecid(mapping, value);
	else if (text_equal_nocase(attribute, span_text("userPrincipalName")))
		mapping->same_name |= has_name(mapping, false, value);
	else if (text_equal_nocase(attribute, span_text("dNSHostName")))
		mapping->same_name |= has_name(mapping, true, value);
}

static bool way_holds(const struct rg_mapping *mapping, enum rg_mapping_way way)
{
	switch (way) {
	case RG_MAPPING_SID:
		return mapping->same_sid;
	case RG_MAPPING_ALTSECID:
		return mapping->same_altsecid;
	case RG_MAPPING_UPN:
		return mapping->same_name;
	case RG_MAPPING_OFF:
		return true;
	}
	return false;
}

bool mapping_holds(const struct rg_mapping *mapping, const struct rg_choices *ways,
		   const char **why)
{
	bool holds = false;
	for (size_t i = 0; i < ways->count; i++) {
		if (ways->items[i] == RG_MAPPING_SID && mapping->sid.length > 0 &&
		    !mapping->same_sid) {
			*why = "the SID in the certificate is another account's";
			return false;
		}
		holds |= way_holds(mapping, (enum rg_mapping_way)ways->items[i]);
	}
	*why = holds ? ""
		     : "certificate_mapping maps the certificate to another account, or to none";
	return holds;
}
