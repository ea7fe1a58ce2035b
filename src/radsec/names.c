#include "radsec/names.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "core/once.h"
#include "core/text.h"

enum kind { HOST, ADDRESS, REALM };

struct name {
	enum kind kind;
	struct rg_span text; /* of an address: its 4 or 16 octets */
};

struct rg_borne {
	GENERAL_NAMES *decoded; /* whose octets the names borrow */
	size_t count;
	struct name names[RG_BORNE_MOST];
};

static ASN1_OBJECT *nai_realm; /* id-on-naiRealm */
static struct rg_once made = RG_ONCE;

static bool make_object(void)
{
	nai_realm = OBJ_txt2obj("1.3.6.1.5.5.7.8.8", 1);
	return nai_realm;
}

static struct rg_span octets_of(const ASN1_STRING *string)
{
	int length = ASN1_STRING_length(string);
	return span_of(ASN1_STRING_get0_data(string), length > 0 ? (size_t)length : 0);
}

/* False: of no kind that counts. */
static bool name_read(struct name *name, const GENERAL_NAME *general)
{
	const OTHERNAME *other = general->d.otherName;
	switch (general->type) {
	case GEN_DNS:
		*name = (struct name){HOST, octets_of(general->d.dNSName)};
		return true;
	case GEN_IPADD:
		*name = (struct name){ADDRESS, octets_of(general->d.iPAddress)};
		return true;
	case GEN_OTHERNAME:
		if (OBJ_cmp(other->type_id, nai_realm) != 0 ||
		    other->value->type != V_ASN1_UTF8STRING)
			return false;
		*name = (struct name){REALM, octets_of(other->value->value.utf8string)};
		return true;
	default: /* OpenSSL's list of kinds; the others name no RADIUS peer */
		return false;
	}
}

struct rg_borne *borne_of(X509 *certificate)
{
	struct rg_borne *borne = once_made(&made, make_object) ? calloc(1, sizeof(*borne)) : NULL;
	if (!borne)
		return NULL;
	borne->decoded = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	ERR_clear_error();
	for (int i = 0; i < sk_GENERAL_NAME_num(borne->decoded) && borne->count < RG_BORNE_MOST; i++)
		borne->count += name_read(&borne->names[borne->count],
					  sk_GENERAL_NAME_value(borne->decoded, i));
	return borne;
}

void borne_free(struct rg_borne **borne)
{
	if (*borne)
		GENERAL_NAMES_free((*borne)->decoded);
	free(*borne);
	*borne = NULL;
}

/* RFC 7585 §2.2, RFC 9525 §6.3: a "*" may stand as the whole left label, for exactly one label. */
static bool is_wildcard_of(struct rg_span borne, struct rg_span name)
{
	const uint8_t *dot = name.length ? memchr(name.data, '.', name.length) : NULL;
	if (!dot || dot == name.data || borne.length < 3 || borne.data[0] != '*' ||
	    borne.data[1] != '.')
		return false;
	return text_equal_nocase(span_of(borne.data + 1, borne.length - 1),
				 span_of(dot, name.length - (size_t)(dot - name.data)));
}

/* No host's certificate stands for a whole top level; a national proxy's may name all realms of its own. */
static bool is_top_level(struct rg_span wildcard)
{
	return !memchr(wildcard.data + 2, '.', wildcard.length - 2);
}

static bool name_is(const struct name *name, struct rg_span wanted)
{
	if (name->kind != ADDRESS && name->text.length != 0 && text_equal_nocase(name->text, wanted))
		return true;
	switch (name->kind) {
	case HOST:
		return is_wildcard_of(name->text, wanted) && !is_top_level(name->text);
	case REALM:
		return is_wildcard_of(name->text, wanted);
	case ADDRESS:
		break;
	}
	return false;
}

static bool address_is(const struct name *name, struct rg_span octets)
{
	return name->kind == ADDRESS && span_equal(name->text, octets);
}

/* An address matches an iPAddress alone, octet for octet. */
static bool one_borne(const struct rg_borne *borne, const char *wanted)
{
	uint8_t octets[16];
	struct rg_span address = span_of(octets, inet_pton(AF_INET, wanted, octets) == 1    ? 4
						 : inet_pton(AF_INET6, wanted, octets) == 1 ? 16
											    : 0);
	for (size_t i = 0; i < borne->count; i++)
		if (address.length ? address_is(&borne->names[i], address)
				   : name_is(&borne->names[i], span_text(wanted)))
			return true;
	return false;
}

bool borne_has(const struct rg_borne *borne, const struct rg_strings *names, const char **which)
{
	for (size_t i = 0; i < names->count; i++) {
		if (!one_borne(borne, names->items[i]))
			continue;
		if (which)
			*which = names->items[i];
		return true;
	}
	return false;
}

bool borne_has_realm(const struct rg_borne *borne, const char *realm)
{
	for (size_t i = 0; i < borne->count; i++)
		if (borne->names[i].kind == REALM && name_is(&borne->names[i], span_text(realm)))
			return true;
	return false;
}
