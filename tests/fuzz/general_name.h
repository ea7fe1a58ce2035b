/* Names of a subjectAltName, made of octets that nobody vouches for. */
#ifndef RG_TESTS_FUZZ_GENERAL_NAME_H
#define RG_TESTS_FUZZ_GENERAL_NAME_H
#include <openssl/x509v3.h>

#include "fuzz.h"

static inline GENERAL_NAME *general_name(int kind, int type, struct rg_span value)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *string = ASN1_STRING_type_new(type);
	MUST(name && string && ASN1_STRING_set(string, value.data, (int)value.length));
	GENERAL_NAME_set0_value(name, kind, string);
	return name;
}

static inline GENERAL_NAME *general_name_other(const ASN1_OBJECT *object, int type,
					       struct rg_span value)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *string = ASN1_STRING_type_new(type);
	ASN1_TYPE *any = ASN1_TYPE_new();
	MUST(name && string && any && ASN1_STRING_set(string, value.data, (int)value.length));
	ASN1_TYPE_set(any, type, string);
	MUST(GENERAL_NAME_set0_othername(name, OBJ_dup(object), any));
	return name;
}
#endif
