/* A realm's files where memory is short (attacks.md O3): all of them count, or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../directory/shortage.h"
#include "eap/tls_private.h"
#include "laptop.h"

static void on_complaint(void *context, bool error, const char *key, const char *message)
{
	(void)context;
	(void)error;
	(void)key;
	(void)message;
}

/* Both CAs are trusted, and a chain goes up to the root, whose list is asked about the issuing one.
 */
static void knows_all(const struct rg_tls_context *context, unsigned at)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context->ssl);
	STACK_OF(X509_OBJECT) *found = X509_STORE_get0_objects(store);
	unsigned long flags = X509_VERIFY_PARAM_get_flags(X509_STORE_get0_param(store));
	unsigned authorities = 0, lists = 0;
	for (int i = 0; i < sk_X509_OBJECT_num(found); i++) {
		X509 *authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(found, i));
		lists += X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(found, i)) != NULL;
		authorities += authority && !(X509_get_extension_flags(authority) & EXFLAG_INVALID);
	}
	int named = sk_X509_NAME_num(SSL_CTX_get0_CA_list(context->ssl));
	if (authorities != 2 || lists != 2 || named != 2 || (flags & X509_V_FLAG_PARTIAL_CHAIN))
		fail_msg("allocation %u: %u CAs, %u CRLs, %d names, flags %lx", at, authorities,
			 lists, named, flags);
}

static void test_O3_a_context_is_whole_or_none(void **state)
{
	struct town town;
	(void)state;
	tls_engine_open();
	town_make(&town, 0);
	struct pki issuing =
		pki_make(&(struct pki_want){.cn = "Issuing", .issuer = &town.ca, .ca = true});
	X509 *const both[] = {issuing.certificate, town.ca.certificate}, *const none[] = {NULL};
	X509_CRL *crls[] = {pki_crl(&issuing, none, 3600), pki_crl(&town.ca, none, 3600)};
	pki_write_certificates(town.client_ca, both, 2);
	pki_write_crls(town.crl_path, crls, 2);
	town.settings.crl = town.crl_path;
	shortage.failed = true;
	/* It asks some thousand times; each of those for the files fails in unit/tls/contents.c. */
	for (unsigned at = 1; shortage.failed; at += 97) {
		shortage.failed = false;
		shortage.left = at;
		struct rg_tls_context *context =
			tls_context_get(&town.settings, "beuningen.nl", on_complaint, NULL);
		shortage.left = 0;
		assert_true(context || shortage.failed);
		if (context)
			knows_all(context, at);
		tls_context_unref(&context);
	}
	X509_CRL_free(crls[0]);
	X509_CRL_free(crls[1]);
	pki_free(&issuing);
	town_free(&town);
	tls_engine_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_O3_a_context_is_whole_or_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
