/* A User-Name. */
#include "fuzz.h"

#include "route/nai.h"

static bool has(struct rg_span span, char octet)
{
	return span.length != 0 && memchr(span.data, octet, span.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rg_span name = span_of(data, size);
	struct rg_nai nai;
	enum rg_nai_fault fault = nai_parse(&nai, name);
	MUST(lies_in(nai.user, name) && lies_in(nai.realm, name));
	MUST(nai_fault_text(fault)[0] != '\0');
	if (fault != RG_NAI_OK)
		return 0;
	/* What is sent on, logged or asked about. */
	MUST(size <= 253 && realm_check(nai.realm) == RG_NAI_OK);
	MUST(has(nai.realm, '.') && !has(nai.realm, '@') && !has(nai.realm, ' ') &&
	     !has(nai.realm, '/'));
	MUST(!has(name, '\0') && !has(name, '\n') && !has(name, '\r') && !has(name, 0x1b) &&
	     !has(name, '\\'));
	if (nai.machine) {
		MUST(nai.realm.length + 5 == size && nai.user.length < nai.realm.length);
		MUST(!has(name, '@'));
	} else {
		MUST(nai.user.length + 1 + nai.realm.length == size &&
		     data[nai.user.length] == '@');
		MUST(!has(nai.user, '@'));
	}
	return 0;
}
