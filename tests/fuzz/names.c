/* Whom a RadSec peer's certificate names, beside OpenSSL's reading of its hosts and addresses and a
 * plain one of its realms. The first octet says how the rest makes a certificate: it is the
 * extension, or it says what names the extension bears. */
#include "fuzz.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <strings.h>

#include "general_name.h"
#include "radsec/names.h"

#define NAI_REALM  "1.3.6.1.5.5.7.8.8"
#define OTHER_NAME "1.3.6.1.5.5.7.8.9"
#define NAMES_MOST 12

static X509 *certificate;
static ASN1_OBJECT *nai_realm, *other_name;

/* So that what is borne and what is wanted meet. */
static const char *const labels[] = {"*", "nl",        "beuningen", "proxy",
				     "a", "BEUNINGEN", "*a",        "xn--b"};
static const char *const wanted[] = {
	"beuningen.nl", "proxy.beuningen.nl", "a.proxy.beuningen.nl", "nl",
	"a.nl",         "192.0.2.1",          "2001:db8::1"};
#define WANTED (sizeof(wanted) / sizeof(wanted[0]))

static void set_up(void)
{
	if (certificate)
		return;
	certificate = X509_new();
	nai_realm = OBJ_txt2obj(NAI_REALM, 1);
	other_name = OBJ_txt2obj(OTHER_NAME, 1);
	/* A CN names nobody. */
	MUST(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
					(const uint8_t *)wanted[0], -1, -1, 0));
}

/* Any octets, or labels that octets choose. */
static struct rg_span text_read(struct rg_cursor *cursor, bool any, char memory[128])
{
	struct rg_span piece = piece_next(cursor);
	if (any)
		return piece;
	memory[0] = '\0';
	for (size_t i = 0; i < piece.length && i < 5; i++) {
		size_t length = strlen(memory);
		snprintf(memory + length, 128 - length, "%s%s", i ? "." : "",
			 labels[piece.data[i] % 8]);
	}
	return span_text(memory);
}

static GENERAL_NAME *name_read(struct rg_cursor *cursor)
{
	static const uint8_t v4[] = {192, 0, 2, 1};
	char memory[128];
	uint8_t kind = cursor_u8(cursor);
	struct rg_span text = text_read(cursor, kind & 0x80, memory);
	switch (kind % 8) {
	case 0:
	case 1:
		return general_name(GEN_DNS, V_ASN1_IA5STRING, text);
	case 2:
		return general_name(GEN_IPADD, V_ASN1_OCTET_STRING,
				    kind & 0x40 ? span_of(v4, sizeof(v4)) : text);
	case 3:
	case 4:
		return general_name_other(nai_realm, V_ASN1_UTF8STRING, text);
	case 5:
		return general_name_other(
			nai_realm, kind & 0x40 ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING, text);
	case 6:
		return general_name_other(other_name, V_ASN1_UTF8STRING, text);
	default:
		return general_name(kind & 0x40 ? GEN_EMAIL : GEN_URI, V_ASN1_IA5STRING, text);
	}
}

static void bear_names(struct rg_cursor *cursor)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	MUST(names);
	for (unsigned i = 0; i < NAMES_MOST && cursor_left(cursor) != 0; i++)
		MUST(sk_GENERAL_NAME_push(names, name_read(cursor)));
	if (sk_GENERAL_NAME_num(names) > 0)
		MUST(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1);
	GENERAL_NAMES_free(names);
}

static void bear_raw(struct rg_span der)
{
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	MUST(octets && ASN1_OCTET_STRING_set(octets, der.data, (int)der.length));
	X509_EXTENSION *extension =
		X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, octets);
	MUST(extension && X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(octets);
}

/* The same name, or all but its first label stand behind "*". */
static bool realm_fits(struct rg_span borne, const char *realm)
{
	const char *rest = strchr(realm, '.');
	const char *text = (const char *)borne.data;
	if (borne.length == 0 || memchr(text, '\0', borne.length))
		return false;
	if (borne.length == strlen(realm) && strncasecmp(text, realm, borne.length) == 0)
		return true;
	return rest && text[0] == '*' && borne.length == strlen(rest) + 1 &&
	       strncasecmp(text + 1, rest, borne.length - 1) == 0;
}

static bool bears_realm(const GENERAL_NAMES *names, const char *realm)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		ASN1_OBJECT *object;
		ASN1_TYPE *value;
		if (GENERAL_NAME_get0_otherName(sk_GENERAL_NAME_value(names, i), &object, &value) &&
		    OBJ_cmp(object, nai_realm) == 0 && value->type == V_ASN1_UTF8STRING &&
		    realm_fits(span_of(ASN1_STRING_get0_data(value->value.utf8string),
				       (size_t)ASN1_STRING_length(value->value.utf8string)),
			       realm))
			return true;
	}
	return false;
}

static bool bears_host(const char *host)
{
	struct in6_addr ignored;
	if (inet_pton(AF_INET, host, &ignored) == 1 || inet_pton(AF_INET6, host, &ignored) == 1)
		return X509_check_ip_asc(certificate, host, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT) ==
		       1;
	return X509_check_host(certificate, host, 0,
			       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
				       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
			       NULL) == 1;
}

/* Of what may be wanted every third, since OpenSSL reads the certificate anew each time; and those
 * together. */
static void judge(const struct rg_borne *borne, const GENERAL_NAMES *names, uint8_t which_ones)
{
	const char *asked[WANTED];
	size_t count = 0;
	bool any = false;
	for (size_t i = which_ones % 3u; i < WANTED; i += 3) {
		const struct rg_strings one = {&wanted[i], 1};
		const char *which = NULL;
		bool address = strchr(wanted[i], ':') || wanted[i][0] == '1';
		bool realm = bears_realm(names, wanted[i]);
		bool has = borne_has(borne, &one, &which);
		MUST(has == (bears_host(wanted[i]) || (realm && !address)));
		MUST(which == (has ? wanted[i] : NULL));
		/* A host's name is no realm's. */
		MUST(address || borne_has_realm(borne, wanted[i]) == realm);
		asked[count++] = wanted[i];
		any = any || has;
	}
	MUST(borne_has(borne, &(struct rg_strings){asked, count}, NULL) == any);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	set_up();
	while (X509_get_ext_count(certificate) > 0)
		X509_EXTENSION_free(X509_delete_ext(certificate, 0));
	if (size > 500) /* and so never more than RG_BORNE_MOST names */
		return 0;
	uint8_t head = cursor_u8(&cursor);
	if (head & 1)
		bear_raw(cursor_rest(&cursor));
	else
		bear_names(&cursor);
	struct rg_borne *borne = borne_of(certificate);
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	MUST(borne);
	judge(borne, names, head >> 1);
	GENERAL_NAMES_free(names);
	borne_free(&borne);
	ERR_clear_error();
	return 0;
}
