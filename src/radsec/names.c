#include "radsec/names.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>

#include "core/text.h"

#define HOST_FLAGS (X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)

static ASN1_OBJECT *nai_realm; /* id-on-naiRealm */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_object(void)
{
	nai_realm = OBJ_txt2obj("1.3.6.1.5.5.7.8.8", 1);
}

/* RFC 7585 §2.2: a "*" may stand as the whole left label, for exactly one label. */
static bool realm_matches(struct rg_span borne, struct rg_span realm)
{
	if (text_equal_nocase(borne, realm))
		return true;
	const uint8_t *dot = realm.length ? memchr(realm.data, '.', realm.length) : NULL;
	if (!dot || dot == realm.data || borne.length < 3 || borne.data[0] != '*' ||
	    borne.data[1] != '.')
		return false;
	size_t left = (size_t)(dot - realm.data);
	return text_equal_nocase(span_of(borne.data + 1, borne.length - 1),
				 span_of(dot, realm.length - left));
}

static bool is_realm(const GENERAL_NAME *name, const char *realm)
{
	if (name->type != GEN_OTHERNAME || OBJ_cmp(name->d.otherName->type_id, nai_realm) != 0 ||
	    name->d.otherName->value->type != V_ASN1_UTF8STRING)
		return false;
	const ASN1_UTF8STRING *text = name->d.otherName->value->value.utf8string;
	int length = ASN1_STRING_length(text);
	return length > 0 && realm_matches(span_of(ASN1_STRING_get0_data(text), (size_t)length),
					   span_text(realm));
}

bool names_realm_borne(X509 *certificate, const char *realm)
{
	bool borne = false;
	pthread_once(&once, make_object);
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; nai_realm && !borne && i < sk_GENERAL_NAME_num(names); i++)
		borne = is_realm(sk_GENERAL_NAME_value(names, i), realm);
	GENERAL_NAMES_free(names);
	return borne;
}

static bool one_borne(X509 *certificate, const char *name)
{
	/* X509_check_ip_asc says -2 to what is no address. */
	int address = X509_check_ip_asc(certificate, name, 0);
	if (address != -2)
		return address == 1;
	return X509_check_host(certificate, name, 0, HOST_FLAGS, NULL) == 1 ||
	       names_realm_borne(certificate, name);
}

bool names_borne(X509 *certificate, const struct rg_strings *names, const char **which)
{
	bool borne = false;
	for (size_t i = 0; !borne && i < names->count; i++) {
		borne = one_borne(certificate, names->items[i]);
		if (borne && which)
			*which = names->items[i];
	}
	ERR_clear_error();
	return borne;
}
