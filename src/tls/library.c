#include "tls/library.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/once.h"
#include "core/reserve.h"

#define BEGINNING ((size_t)2 << 20) /* what it takes, and more */

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
	struct rg_once opened;
	OSSL_LIB_CTX *context;   /* NULL: the default one serves */
	OSSL_PROVIDER *provider; /* the default one, in a context of its own */
	struct selection {
		int operation;
		const char *const *wanted;
		OSSL_ALGORITHM *algorithms; /* ends in one that is all zero */
	} selections[9];
} library = {
	.opened = RG_ONCE,
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

static _Thread_local unsigned refusals;

/* OpenSSL's allocator, on behalf of the file and line that it names. */
static void *allocate(size_t size, const char *file, int line)
{
	void *memory = malloc(size);
	(void)file;
	(void)line;
	refusals += !memory && size != 0;
	return memory;
}

static void *reallocate(void *old, size_t size, const char *file, int line)
{
	void *memory = realloc(old, size);
	(void)file;
	(void)line;
	refusals += !memory && size != 0;
	return memory;
}

static void release(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	free(memory);
}

bool tls_library_watch(void)
{
	return CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
}

unsigned tls_library_refusals(void)
{
	return refusals;
}

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

/* False: there is none of it. */
static bool selection_make(struct selection *selection, bool *memory)
{
	int no_cache;
	size_t all = 0, count = 0;
	const OSSL_ALGORITHM *from =
		OSSL_PROVIDER_query_operation(library.provider, selection->operation, &no_cache);
	while (from && from[all].algorithm_names)
		all++;
	selection->algorithms = calloc(all + 1, sizeof(*selection->algorithms));
	*memory = selection->algorithms;
	if (!*memory)
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

/* What OpenSSL could not take note of when it first walked over its provider it lacks for good. */
static bool has_all(OSSL_LIB_CTX *context)
{
	bool all = true;
	for (size_t i = 0; digests[i]; i++) {
		EVP_MD *found = EVP_MD_fetch(context, digests[i], NULL);
		all = all && found;
		EVP_MD_free(found);
	}
	for (size_t i = 0; ciphers[i]; i++) {
		EVP_CIPHER *found = EVP_CIPHER_fetch(context, ciphers[i], NULL);
		all = all && found;
		EVP_CIPHER_free(found);
	}
	for (size_t i = 0; derivations[i]; i++) {
		EVP_KDF *found = EVP_KDF_fetch(context, derivations[i], NULL);
		all = all && found;
		EVP_KDF_free(found);
	}
	for (size_t i = 0; keys[i]; i++) {
		EVP_KEYMGMT *found = EVP_KEYMGMT_fetch(context, keys[i], NULL);
		all = all && found;
		EVP_KEYMGMT_free(found);
	}
	return all;
}

static void library_close(OSSL_LIB_CTX *back)
{
	OSSL_LIB_CTX_free(library.context);
	library.context = NULL;
	for (size_t i = 0; i < SELECTIONS; i++) {
		free(library.selections[i].algorithms);
		library.selections[i].algorithms = NULL;
	}
	if (library.provider)
		OSSL_PROVIDER_unload(library.provider);
	library.provider = NULL;
	OSSL_LIB_CTX_free(back);
}

/* False: there was no memory. */
static bool library_open(void)
{
	if (administrator_chose())
		return true;
	unsigned before = refusals;
	OSSL_LIB_CTX *back = OSSL_LIB_CTX_new();
	library.provider = back ? OSSL_PROVIDER_load(back, "default") : NULL;
	bool complete = library.provider != NULL, memory = true;
	for (size_t i = 0; complete && memory && i < SELECTIONS; i++)
		complete = selection_make(&library.selections[i], &memory);
	if (complete && memory)
		library.context = OSSL_LIB_CTX_new();
	complete = library.context && OSSL_PROVIDER_add_builtin(library.context, "roamgate", provider_init) &&
		   OSSL_PROVIDER_load(library.context, "roamgate") && has_all(library.context);
	memory = memory && refusals == before;
	if (!complete || !memory)
		library_close(back);
	return memory;
}

/* A key is read, chance had, a connection made: what everything begins with here. */
static bool try_out(void)
{
	static const uint8_t octets[] = { /* a public key on P-256 */
		0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
		0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0xb1,
		0x67, 0x10, 0xd0, 0xf7, 0x8e, 0xce, 0x68, 0xd7, 0xdf, 0x00, 0x86, 0xfb, 0x44, 0xd0,
		0xa6, 0x34, 0x7b, 0xcc, 0xdf, 0xb6, 0xab, 0x37, 0xe2, 0x7f, 0xb3, 0x5b, 0x29, 0x2a,
		0x32, 0x78, 0xaa, 0x33, 0x80, 0x89, 0x55, 0xa7, 0xff, 0x07, 0xed, 0x1d, 0x51, 0xdd,
		0x80, 0x6d, 0x3f, 0x6d, 0x87, 0x7f, 0x68, 0xe7, 0xbd, 0xeb, 0x66, 0xba, 0xec, 0xfe,
		0x00, 0xbd, 0x38, 0x14, 0x4e, 0xf0, 0x72,
	};
	const uint8_t *from = octets;
	uint8_t chance[16];
	unsigned long error;
	ERR_clear_error();
	EVP_PKEY *key = d2i_PUBKEY(NULL, &from, sizeof(octets));
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	SSL *ssl = context ? SSL_new(context) : NULL;
	bool fine = key && ssl && RAND_bytes(chance, sizeof(chance)) == 1 &&
		    RAND_priv_bytes(chance, sizeof(chance)) == 1;
	SSL_free(ssl);
	SSL_CTX_free(context);
	EVP_PKEY_free(key);
	/* What it could not make once it regrets with each key, and a handshake takes that for its own. */
	while ((error = ERR_get_error()) != 0)
		fine = fine && ERR_GET_REASON(error) != ERR_R_MALLOC_FAILURE;
	return fine;
}

bool tls_library_begin(void)
{
	/* Twice: what there was no memory for once is there now, or never will be. */
	return memory_is_there(BEGINNING) && OSSL_LIB_CTX_get0_global_default() && OPENSSL_init_ssl(0, NULL) &&
	       (try_out() || try_out()) &&
	       (administrator_chose() || has_all(NULL) || has_all(NULL));
}

OSSL_LIB_CTX *tls_library(void)
{
	return once_made(&library.opened, library_open) ? library.context : NULL;
}
