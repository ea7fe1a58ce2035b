/* The table of contexts: one object for equal settings and equal files, whoever asks. */
#include "eap/tls_context.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap/tls_private.h"
#include "tls/library.h"

#define BUCKETS 4096u

/* Process-wide: reloads and realms share what did not change. */
static struct rg_tls_context *buckets[BUCKETS];
static pthread_mutex_t buckets_lock = PTHREAD_MUTEX_INITIALIZER;

static struct rg_tls_context **bucket_of(const uint8_t key[32])
{
	return &buckets[(key[0] | (unsigned)key[1] << 8) % BUCKETS];
}

static void digest_text(EVP_MD_CTX *md, const char *text)
{
	uint64_t length = text ? strlen(text) : UINT64_MAX;
	EVP_DigestUpdate(md, &length, sizeof(length));
	if (text)
		EVP_DigestUpdate(md, text, strlen(text));
}

static void digest_file(EVP_MD_CTX *md, const struct rg_tls_file *file)
{
	uint8_t state = !file ? 0 : file->missing ? 1 : 2;
	EVP_DigestUpdate(md, &state, 1);
	if (state == 2)
		EVP_DigestUpdate(md, file->digest, sizeof(file->digest));
}

/* Fills key and trust; the private key's renewal alone ends no session. */
static bool context_digest(struct rg_tls_context *context, const struct rg_eap_settings *settings)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int64_t numbers[] = {settings->ocsp, settings->tls_min, settings->tls_max,
			     settings->ocsp_timeout_ms, settings->resume_s};
	bool good = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	if (good) {
		digest_file(md, context->files[RG_TLS_CERTIFICATE]);
		digest_file(md, context->files[RG_TLS_CLIENT_CA]);
		digest_file(md, context->files[RG_TLS_CRL]);
		good = EVP_DigestFinal_ex(md, context->trust, NULL) &&
		       EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	}
	if (good) {
		EVP_DigestUpdate(md, context->trust, sizeof(context->trust));
		digest_file(md, context->files[RG_TLS_KEY]);
		digest_text(md, settings->certificate);
		digest_text(md, settings->private_key);
		digest_text(md, settings->client_ca);
		digest_text(md, settings->crl);
		digest_text(md, settings->ocsp_responder);
		EVP_DigestUpdate(md, numbers, sizeof(numbers));
		EVP_DigestUpdate(md, settings->identity_from.items,
				 settings->identity_from.count * sizeof(int));
		good = EVP_DigestFinal_ex(md, context->key, NULL);
	}
	EVP_MD_CTX_free(md);
	return good;
}

void tls_context_note(struct rg_tls_context *context, bool error, const char *key,
		      const char *format, ...)
{
	struct rg_tls_note *note = calloc(1, sizeof(*note)), **last = &context->notes;
	if (!note) {
		context->untold |= error;
		return;
	}
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(note->message, sizeof(note->message), format, arguments);
	va_end(arguments);
	note->error = error;
	note->key = key;
	while (*last)
		last = &(*last)->next;
	*last = note;
}

static struct rg_tls_context *context_new(const struct rg_eap_settings *settings)
{
	struct rg_tls_context *context = calloc(1, sizeof(*context));
	if (!context)
		return NULL;
	atomic_init(&context->references, 1);
	pthread_mutex_init(&context->staple.lock, NULL);
	pthread_mutex_init(&context->crl_memo.lock, NULL);
	context->files[RG_TLS_CERTIFICATE] = tls_file_get(settings->certificate);
	context->files[RG_TLS_KEY] = tls_file_get(settings->private_key);
	if (settings->client_ca)
		context->files[RG_TLS_CLIENT_CA] = tls_file_get(settings->client_ca);
	if (settings->crl)
		context->files[RG_TLS_CRL] = tls_file_get(settings->crl);
	for (int i = 0; i < RG_TLS_SOURCES; i++)
		if (!context->files[i] && (i != RG_TLS_CRL || settings->crl) &&
		    (i != RG_TLS_CLIENT_CA || settings->client_ca))
			goto out;
	if (context_digest(context, settings))
		return context;
out:
	tls_context_free(context);
	return NULL;
}

void tls_context_empty(struct rg_tls_context *context)
{
	for (struct rg_tls_note *note = context->notes, *next; note; note = next) {
		next = note->next;
		free(note);
	}
	context->notes = NULL;
	context->untold = false;
	SSL_CTX_free(context->ssl);
	context->ssl = NULL;
	context->chain = NULL; /* was ssl's */
	X509_free(context->certificate);
	context->certificate = NULL;
	sk_X509_pop_free(context->authorities, X509_free);
	context->authorities = NULL;
	context->certificate_ends = context->authorities_end = context->crl_ends = 0;
}

void tls_context_free(struct rg_tls_context *context)
{
	for (int i = 0; i < RG_TLS_SOURCES; i++)
		tls_file_unref(&context->files[i]);
	tls_context_empty(context);
	free(context->ocsp_responder);
	OPENSSL_free(context->staple.der);
	pthread_mutex_destroy(&context->staple.lock);
	pthread_mutex_destroy(&context->crl_memo.lock);
	free(context);
}

/* The one with that key, referenced, or NULL. */
static struct rg_tls_context *table_find(const uint8_t key[32])
{
	struct rg_tls_context *context = *bucket_of(key);
	while (context && memcmp(context->key, key, 32) != 0)
		context = context->next;
	return context ? tls_context_ref(context) : NULL;
}

/* Tells of what was found; true: nothing that forbids use. */
static bool notes_tell(const struct rg_tls_context *context, tls_complain *complain, void *to)
{
	bool good = !context->untold;
	for (const struct rg_tls_note *note = context->notes; note; note = note->next) {
		if (complain)
			complain(to, note->error, note->key, note->message);
		/* At a refresh the realm goes on without its CRL: by refusing everyone. */
		if (note->error && (complain || strcmp(note->key, "crl") != 0))
			good = false;
	}
	return good;
}

/* before: how often OpenSSL had been refused memory when the context was begun. What it lacks for that reason it would lack
 * for as long as the files stay as they are. */
static bool build_whole(struct rg_tls_context *context, const struct rg_eap_settings *settings, unsigned before)
{
	bool built = tls_context_build(context, settings);
	if (tls_library_refusals() == before)
		return built;
	tls_context_note(context, true, "certificate", "no memory");
	return false;
}

struct rg_tls_context *tls_context_get(const struct rg_eap_settings *settings, const char *realm,
				       tls_complain *complain, void *to)
{
	(void)realm; /* what is wrong is said of a key; the caller knows whose */
	const char *absent = !settings->certificate   ? "certificate"
			     : !settings->private_key ? "private_key"
						      : NULL;
	if (absent) {
		if (complain)
			complain(to, true, absent, "is missing");
		return NULL;
	}
	unsigned before = tls_library_refusals();
	struct rg_tls_context *fresh = context_new(settings), *context;
	if (!fresh)
		return NULL;
	pthread_mutex_lock(&buckets_lock);
	context = table_find(fresh->key);
	pthread_mutex_unlock(&buckets_lock);
	bool usable = context || build_whole(fresh, settings, before);
	if (!notes_tell(context ? context : fresh, complain, to))
		usable = false;
	if (usable && !context) {
		pthread_mutex_lock(&buckets_lock);
		context = table_find(fresh->key); /* another thread may have been faster */
		if (!context) {
			struct rg_tls_context **bucket = bucket_of(fresh->key);
			fresh->next = *bucket;
			*bucket = context = fresh;
			fresh = NULL;
		}
		pthread_mutex_unlock(&buckets_lock);
	}
	if (!usable)
		tls_context_unref(&context);
	if (fresh)
		tls_context_free(fresh);
	ERR_clear_error();
	return context;
}

struct rg_tls_context *tls_context_ref(struct rg_tls_context *context)
{
	atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
	return context;
}

void tls_context_unref(struct rg_tls_context **holder)
{
	struct rg_tls_context *context = *holder;
	*holder = NULL;
	if (!context)
		return;
	/* The last reference is given up under the lock, where nobody can find the context
	 * meanwhile. */
	unsigned references = atomic_load(&context->references);
	while (references > 1)
		if (atomic_compare_exchange_weak(&context->references, &references, references - 1))
			return;
	pthread_mutex_lock(&buckets_lock);
	bool last = atomic_fetch_sub(&context->references, 1) == 1;
	if (last) {
		struct rg_tls_context **at = bucket_of(context->key);
		while (*at && *at != context)
			at = &(*at)->next;
		if (*at)
			*at = context->next;
	}
	pthread_mutex_unlock(&buckets_lock);
	if (last)
		tls_context_free(context);
}

bool tls_context_stale(const struct rg_tls_context *context)
{
	for (int i = 0; i < RG_TLS_SOURCES; i++)
		if (context->files[i] && tls_file_stale(context->files[i]))
			return true;
	return false;
}

void tls_context_expiry(const struct rg_tls_context *context,
			void (*each)(void *context, const char *what, time_t not_after), void *to)
{
	each(to, "certificate", context->certificate_ends);
	if (context->files[RG_TLS_CLIENT_CA])
		each(to, "client_ca", context->authorities_end);
	if (context->files[RG_TLS_CRL] && !context->crl_missing)
		each(to, "crl", context->crl_ends);
}
