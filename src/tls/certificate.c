#include "tls/certificate.h"

#include <openssl/bio.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>

#include "core/text.h"

/* An IA5String is ASCII (RFC 5280 §4.2.1.6), where OpenSSL reads other octets as Latin-1: what a CA meant as UTF-8 would
 * become somebody else's name. */
static bool is_of_its_type(const ASN1_STRING *string)
{
	const unsigned char *octets = ASN1_STRING_get0_data(string);
	bool good = true;
	for (int i = 0; good && i < ASN1_STRING_length(string); i++)
		good = octets[i] < 0x80 || ASN1_STRING_type(string) != V_ASN1_IA5STRING;
	return good;
}

/* Any ASN.1 string as UTF-8 into out, behind prefix; false where it may not count as a name. */
static bool name_text(const ASN1_STRING *string, const char *prefix, char *out, size_t capacity)
{
	unsigned char *utf8 = NULL;
	size_t before = strlen(prefix);
	int converted =
		ASN1_STRING_to_UTF8(&utf8, string); /* refuses what is not valid in its type */
	bool good = converted > 0 && before + (size_t)converted < capacity && is_of_its_type(string);
	for (int i = 0; good && i < converted; i++)
		good = utf8[i] >= 0x20 && utf8[i] != 0x7f &&
		       !(utf8[i] == 0xc2 && i + 1 < converted && utf8[i + 1] < 0xa0);
	if (good) {
		memcpy(out, prefix, before);
		memcpy(out + before, utf8, (size_t)converted);
		out[before + (size_t)converted] = '\0';
	}
	OPENSSL_free(utf8);
	return good;
}

/* otherName of Microsoft's User Principal Name: a UTF8String. */
static const ASN1_STRING *name_upn(const GENERAL_NAME *name)
{
	if (name->type != GEN_OTHERNAME || OBJ_obj2nid(name->d.otherName->type_id) != NID_ms_upn)
		return NULL;
	const ASN1_TYPE *value = name->d.otherName->value;
	return value && value->type == V_ASN1_UTF8STRING ? value->value.utf8string : NULL;
}

static const ASN1_STRING *name_of_kind(const GENERAL_NAME *name, enum rg_name_kind kind)
{
	switch (kind) {
	case RG_NAME_SAN_UPN:
		return name_upn(name);
	case RG_NAME_SAN_EMAIL:
		return name->type == GEN_EMAIL ? name->d.rfc822Name : NULL;
	case RG_NAME_SAN_DNS:
		return name->type == GEN_DNS ? name->d.dNSName : NULL;
	case RG_NAME_SUBJECT_CN:
	case RG_NAME_INNER: /* in no certificate */
		return NULL;
	}
	return NULL;
}

static bool san_identity(const GENERAL_NAMES *names, enum rg_name_kind kind, char *out,
			 size_t capacity)
{
	const char *prefix = kind == RG_NAME_SAN_DNS ? "host/" : "";
	unsigned seen = 0;
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && seen < RG_NAMES_MOST; i++) {
		const ASN1_STRING *string = name_of_kind(sk_GENERAL_NAME_value(names, i), kind);
		if (!string)
			continue;
		seen++;
		if (name_text(string, prefix, out, capacity))
			return true;
	}
	return false;
}

/* The last CN is the most specific one. */
static const ASN1_STRING *subject_cn(const X509 *certificate)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int last = -1;
	for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;)
		last = i;
	return last < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last));
}

bool certificate_identity(const X509 *certificate, const struct rg_choices *kinds, char *out,
			  size_t capacity, enum rg_name_kind *kind)
{
	GENERAL_NAMES *names = NULL;
	bool found = false, read = false;
	for (size_t i = 0; i < kinds->count && !found; i++) {
		*kind = (enum rg_name_kind)kinds->items[i];
		if (*kind == RG_NAME_SUBJECT_CN) {
			const ASN1_STRING *cn = subject_cn(certificate);
			found = cn && name_text(cn, "", out, capacity);
			continue;
		}
		if (!read)
			names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
		read = true;
		found = san_identity(names, *kind, out, capacity);
	}
	GENERAL_NAMES_free(names);
	if (!found && capacity != 0)
		out[0] = '\0';
	return found;
}

void certificate_subject(const X509 *certificate, char *out, size_t capacity)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long length = 0;
	out[0] = '\0';
	if (!bio)
		return;
	/* Bytes as UTF-8, nothing escaped but RFC 2253's own separators: text_escape does the rest.
	 */
	if (X509_NAME_print_ex(
		    bio, X509_get_subject_name(certificate), 0,
		    (XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB & ~ASN1_STRFLGS_ESC_CTRL)) >= 0)
		length = BIO_get_mem_data(bio, &text);
	if (length > 0)
		text_escape(out, capacity, span_of(text, (size_t)length));
	BIO_free(bio);
}

static bool each_dns(X509 *certificate, bool (*test)(const char *name, const void *with),
		     const void *with)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	bool found = false;
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
		char text[256];
		const ASN1_STRING *dns =
			name_of_kind(sk_GENERAL_NAME_value(names, i), RG_NAME_SAN_DNS);
		found = dns && name_text(dns, "", text, sizeof(text)) && test(text, with);
	}
	GENERAL_NAMES_free(names);
	return found;
}

static bool test_any(const char *name, const void *with)
{
	(void)name;
	(void)with;
	return true;
}

static bool test_same(const char *name, const void *with)
{
	return strcasecmp(name, with) == 0;
}

static bool test_wildcard(const char *name, const void *with)
{
	(void)with;
	return strchr(name, '*') != NULL;
}

bool certificate_has_dns(X509 *certificate)
{
	return each_dns(certificate, test_any, NULL);
}

bool certificate_dns_matches_cn(X509 *certificate)
{
	char text[256];
	const ASN1_STRING *cn = subject_cn(certificate);
	if (!cn)
		return true;
	return name_text(cn, "", text, sizeof(text)) && each_dns(certificate, test_same, text);
}

bool certificate_has_wildcard(X509 *certificate)
{
	char text[256];
	const ASN1_STRING *cn = subject_cn(certificate);
	return (cn && name_text(cn, "", text, sizeof(text)) && strchr(text, '*')) ||
	       each_dns(certificate, test_wildcard, NULL);
}

time_t certificate_time(const ASN1_TIME *time)
{
	struct tm tm = {0};
	return time && ASN1_TIME_to_tm(time, &tm) == 1 ? timegm(&tm) : 0;
}
