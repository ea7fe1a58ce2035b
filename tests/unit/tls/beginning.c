/* OpenSSL begins as a whole, or the process is told (attacks.md O3). It begins once a process: each attempt has its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "../directory/shortage.h"
#include "tls/library.h"

enum { WHOLE = 0, REFUSED, PARTLY, UNTRIED = 8 /* beside: no allocation failed */ };

/* Keys are made and read, contexts and connections too. */
static bool is_whole(void)
{
	ERR_clear_error();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	uint8_t octets[200], *end = octets;
	const uint8_t *from = octets;
	int length = key ? i2d_PUBKEY(key, &end) : 0;
	EVP_PKEY *read = length > 0 ? d2i_PUBKEY(NULL, &from, length) : NULL;
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	SSL *ssl = context ? SSL_new(context) : NULL;
	bool whole = read && EVP_PKEY_eq(key, read) == 1 && ssl && EVP_MD_fetch(NULL, "SHA256", NULL);
	whole = whole && ERR_peek_error() == 0; /* which a handshake would take for its own */
	SSL_free(ssl);
	SSL_CTX_free(context);
	EVP_PKEY_free(read);
	EVP_PKEY_free(key);
	return whole;
}

/* What came of it where the at-th allocation fails. */
static int begin(unsigned at)
{
	int status = 0;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		shortage.left = at;
		bool begun = tls_library_begin();
		shortage.left = 0;
		_exit((!begun ? REFUSED : is_whole() ? WHOLE : PARTLY) | (shortage.failed ? 0 : UNTRIED));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status)); /* and did not crash */
	return WEXITSTATUS(status);
}

static void O3_openssl_begins_whole_or_the_process_is_told(void **state)
{
	unsigned refused = 0, at = 0;
	int was;
	(void)state;
	/* It asks some thousand times; each 41st tells enough, and each of the first. */
	while (!((was = begin(at += at < 100 ? 1 : 41)) & UNTRIED)) {
		if (was == PARTLY)
			fail_msg("allocation %u", at);
		refused += was == REFUSED;
	}
	assert_int_equal(was, WHOLE | UNTRIED);
	assert_true(!shortage_works() || refused > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(O3_openssl_begins_whole_or_the_process_is_told),
	};
	return cmocka_run_group_tests_name("tls/beginning", tests, NULL, NULL);
}
