#include "tls/library.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What TLS 1.2 and 1.3 need whose cipher suites, groups and signatures tls_build.c pins, and what
 * certificates are signed with. The names are OpenSSL's. */
static const char *const digests[] = {"SHA1",         "SHA2-224", "SHA2-256", "SHA2-384",
				      "SHA2-512",     "SHA3-256", "SHA3-384", "SHA3-512",
				      "SHA2-512/256", "MD5",      "MD5-SHA1", NULL};
static const char *const ciphers[] = {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305", NULL};
static const char *const macs[] = {"HMAC", NULL};
static const char *const derivations[] = {"TLS1-PRF", "TLS13-KDF", "HKDF", NULL};
static const char *const generators[] = {"CTR-DRBG", "SEED-SRC", NULL};
static const char *const exchanges[] = {"ECDH", "X25519", NULL};
static const char *const signatures[] = {"ECDSA", "RSA", "ED25519", "ED448", "HMAC", NULL};
static const char *const keys[] = {"EC",    "RSA",    "RSA-PSS", "ED25519",
				   "ED448", "X25519", "HMAC",    NULL};
static const char *const decoders[] = {"EC", "RSA", "RSA-PSS", "ED25519", "ED448", NULL};

/* Process-wide, made once and kept: what is handed out of it lives as long. */
static struct {
	pthread_once_t once;
	OSSL_LIB_CTX *context;   /* NULL: the default one serves */
	OSSL_PROVIDER *provider; /* the default one, in a context of its own */
	struct selection {
		int operation;
		const char *const *wanted;
		OSSL_ALGORITHM *algorithms; /* ends in one that is all zero */
	} selections[9];
} library = {
	.once = PTHREAD_ONCE_INIT,
	.selections =
		{
			{OSSL_OP_DIGEST, digests, NULL},
			{OSSL_OP_CIPHER, ciphers, NULL},
			{OSSL_OP_MAC, macs, NULL},
			{OSSL_OP_KDF, derivations, NULL},
			{OSSL_OP_RAND, generators, NULL},
			{OSSL_OP_KEYEXCH, exchanges, NULL},
			{OSSL_OP_SIGNATURE, signatures, NULL},
			{OSSL_OP_KEYMGMT, keys, NULL},
			{OSSL_OP_DECODER, decoders, NULL},
		},
};
#define SELECTIONS (sizeof(library.selections) / sizeof(library.selections[0]))

/* names: as a provider gives them, "RSA:rsaEncryption:1.2.840.113549.1.1.1". */
static bool is_among(const char *names, const char *const *list)
{
	while (names) {
		size_t length = strcspn(names, ":");
		for (size_t i = 0; list[i]; i++)
			if (strlen(list[i]) == length && strncasecmp(names, list[i], length) == 0)
				return true;
		names = names[length] == ':' ? names + length + 1 : NULL;
	}
	return false;
}

/* Of a bare key: around it PEM and certificates are read without decoders. */
static bool decodes_bare(const OSSL_ALGORITHM *decoder)
{
	const char *properties = decoder->property_definition;
	return properties && strstr(properties, "input=der") &&
	       (strstr(properties, "structure=SubjectPublicKeyInfo") ||
		strstr(properties, "structure=PrivateKeyInfo"));
}

static bool selection_make(struct selection *selection)
{
	int no_cache;
	size_t all = 0, count = 0;
	const OSSL_ALGORITHM *from =
		OSSL_PROVIDER_query_operation(library.provider, selection->operation, &no_cache);
	while (from && from[all].algorithm_names)
		all++;
	selection->algorithms = calloc(all + 1, sizeof(*selection->algorithms));
	if (!selection->algorithms)
		return false;
	for (size_t i = 0; i < all; i++)
		if (is_among(from[i].algorithm_names, selection->wanted) &&
		    (selection->operation != OSSL_OP_DECODER || decodes_bare(&from[i])))
			selection->algorithms[count++] = from[i];
	return count != 0;
}

static const OSSL_ALGORITHM *query(void *context, int operation, int *no_cache)
{
	(void)context;
	*no_cache = 0;
	for (size_t i = 0; i < SELECTIONS; i++)
		if (library.selections[i].operation == operation)
			return library.selections[i].algorithms;
	return NULL;
}

/* The groups of TLS. */
static int capabilities(void *context, const char *capability, OSSL_CALLBACK *each, void *to)
{
	(void)context;
	return OSSL_PROVIDER_get_capabilities(library.provider, capability, each, to);
}

static int parameters(void *context, OSSL_PARAM *wanted)
{
	(void)context;
	OSSL_PARAM *running = OSSL_PARAM_locate(wanted, OSSL_PROV_PARAM_STATUS);
	return !running || OSSL_PARAM_set_int(running, 1);
}

static const OSSL_DISPATCH functions[] = {
	{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
	{OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))capabilities},
	{OSSL_FUNC_PROVIDER_GET_PARAMS, (void (*)(void))parameters},
	{0, NULL},
};

/* Its algorithms are the default provider's, and so is the context that they are given. */
static int provider_init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
			 const OSSL_DISPATCH **out, void **context)
{
	(void)core;
	(void)in;
	*out = functions;
	*context = OSSL_PROVIDER_get0_provider_ctx(library.provider);
	return 1;
}

static int note_chosen(OSSL_PROVIDER *provider, void *chosen)
{
	const char *name = OSSL_PROVIDER_get0_name(provider);
	static const char *const ordinary[] = {"default", "legacy", "base", "null", NULL};
	if (!is_among(name, ordinary))
		*(bool *)chosen = true;
	return 1;
}

/* Whether openssl.cnf says what cryptography is to come from: FIPS 140, a token. */
static bool administrator_chose(void)
{
	bool chosen = EVP_default_properties_is_fips_enabled(NULL) ||
		      !OSSL_PROVIDER_available(NULL, "default");
	OSSL_PROVIDER_do_all(NULL, note_chosen, &chosen);
	return chosen;
}

static void library_open(void)
{
	if (administrator_chose())
		return;
	OSSL_LIB_CTX *back = OSSL_LIB_CTX_new(), *context = NULL;
	library.provider = back ? OSSL_PROVIDER_load(back, "default") : NULL;
	bool complete = library.provider != NULL;
	for (size_t i = 0; complete && i < SELECTIONS; i++)
		complete = selection_make(&library.selections[i]);
	if (complete)
		context = OSSL_LIB_CTX_new();
	if (context && OSSL_PROVIDER_add_builtin(context, "roamgate", provider_init) &&
	    OSSL_PROVIDER_load(context, "roamgate"))
		library.context = context;
	else
		OSSL_LIB_CTX_free(context);
}

OSSL_LIB_CTX *tls_library(void)
{
	pthread_once(&library.once, library_open);
	return library.context;
}
