/* tests/unit/eap/tls_keys.c tests what the library reads; this, when it stands back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/core_dispatch.h>
#include <openssl/provider.h>

#include "tls/library.h"

/* What openssl.cnf would load: a token's provider. */
static int token_init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
		      const OSSL_DISPATCH **out, void **context)
{
	static const OSSL_DISPATCH nothing[] = {{0, NULL}};
	(void)core;
	(void)in;
	*out = nothing;
	*context = NULL;
	return 1;
}

static void test_the_administrators_providers_count(void **state)
{
	(void)state;
	assert_true(OSSL_PROVIDER_add_builtin(NULL, "token", token_init));
	OSSL_PROVIDER *ordinary = OSSL_PROVIDER_load(NULL, "default");
	OSSL_PROVIDER *token = OSSL_PROVIDER_load(NULL, "token");
	assert_true(ordinary && token);
	assert_null(tls_library());
	OSSL_PROVIDER_unload(token);
	OSSL_PROVIDER_unload(ordinary);
	assert_null(tls_library()); /* settled once */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_administrators_providers_count),
	};
	return cmocka_run_group_tests_name("tls/library", tests, NULL, NULL);
}
