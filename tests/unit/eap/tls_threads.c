/* Workers share contexts and sessions: full and resumed sign-ins from several threads, while the
 * realm's CRL is replaced under them. Meant for ThreadSanitizer, and good without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "eap/tls_cache.h"
#include "laptop.h"

#define ROUNDS 12

static struct town town;
static struct pki staff;
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static SSL_SESSION *shared; /* the newest session of TLS 1.2, which any thread may take up */
static atomic_uint accepted, resumed, wrong;

static void sign_in_once(struct rg_tls_context *context, int version, SSL_SESSION **own)
{
	struct laptop_settings settings = {.identity = &staff, .version = version};
	if (version == TLS1_2_VERSION) {
		pthread_mutex_lock(&shared_lock);
		settings.session = shared;
		if (shared)
			SSL_SESSION_up_ref(shared);
		pthread_mutex_unlock(&shared_lock);
	} else {
		settings.session = *own;
		*own = NULL;
	}
	struct result result = sign_in(context, &settings, NULL);
	atomic_fetch_add(result.verdict == RG_EAP_SUCCESS && result.keys_match ? &accepted : &wrong,
			 1);
	atomic_fetch_add(&resumed, result.resumed);
	SSL_SESSION_free(settings.session);
	if (version == TLS1_3_VERSION) {
		*own = result.session;
	} else if (result.session) {
		pthread_mutex_lock(&shared_lock);
		SSL_SESSION_free(shared);
		shared = result.session;
		pthread_mutex_unlock(&shared_lock);
	}
}

static void *worker(void *argument)
{
	struct rg_tls_context *context = argument;
	SSL_SESSION *own = NULL;
	for (int i = 0; i < ROUNDS; i++) {
		struct rg_tls_context *held = tls_context_ref(context);
		sign_in_once(held, TLS1_2_VERSION, &own);
		sign_in_once(held, TLS1_3_VERSION, &own);
		tls_context_unref(&held);
	}
	SSL_SESSION_free(own);
	return NULL;
}

static void test_two_workers_and_a_reload(void **state)
{
	(void)state;
	pthread_t threads[2];
	tls_engine_open();
	town_make(&town, 0);
	staff = pki_make(
		&(struct pki_want){.cn = "anna", .issuer = &town.ca, .usage = "clientAuth"});
	town_revoke(&town, NULL, 86400);
	struct rg_tls_context *context = town_context(&town);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, worker, context), 0);
	for (int i = 0; i < ROUNDS; i++) {
		town_revoke(&town, NULL, 86400 + i);
		struct rg_tls_context *fresh = town_context(&town), *again = town_context(&town);
		assert_ptr_equal(fresh, again);
		tls_context_stale(context);
		tls_context_unref(&fresh);
		tls_context_unref(&again);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&wrong), 0);
	assert_int_equal(atomic_load(&accepted), 2 * 2 * ROUNDS);
	/* TLS 1.3: all but each thread's first. TLS 1.2: all but those that began before there was
	 * any. */
	assert_true(atomic_load(&resumed) >= 2 * (ROUNDS - 1) + 2 * ROUNDS - 4);
	SSL_SESSION_free(shared);
	tls_context_unref(&context);
	pki_free(&staff);
	town_free(&town);
	tls_engine_close();
	assert_int_equal(tls_cache_count(), 0);
}

/* The cache is bounded, and what was used last stays. */
static void test_E3_cache_is_bounded(void **state)
{
	(void)state;
	struct rg_tls_cached cached = {.expires = 1000, .lasts_ns = 1000}, found;
	uint8_t id[32] = {0}, first[32];
	for (unsigned i = 0; i < 3 * RG_TLS_CACHE_MOST; i++) {
		SSL_SESSION *session = SSL_SESSION_new();
		id[0] = (uint8_t)i;
		id[1] = (uint8_t)(i >> 8);
		id[2] = (uint8_t)(i >> 16);
		if (i == 0)
			memcpy(first, id, sizeof(first));
		SSL_SESSION_set1_id(session, id, sizeof(id));
		cached.session = session;
		tls_cache_put(&cached);
		SSL_SESSION_free(session);
		if (tls_cache_find(first, sizeof(first), cached.scope, 1, 1, &found))
			SSL_SESSION_free(found.session);
		else
			fail();
	}
	assert_int_equal(tls_cache_count(), RG_TLS_CACHE_MOST);
	assert_false(tls_cache_find(first, sizeof(first), (uint8_t[32]){1}, 1, 1, &found));
	assert_false(tls_cache_find(first, sizeof(first), cached.scope, 1000, 1, &found));
	assert_int_equal(tls_cache_count(), RG_TLS_CACHE_MOST - 1);
	assert_false(tls_cache_find(first, sizeof(first), cached.scope, 1, 1, &found));
	assert_false(tls_cache_find(id, sizeof(id), cached.scope, 1, 1000, &found));
	assert_int_equal(tls_cache_count(), RG_TLS_CACHE_MOST - 2);
	assert_false(tls_cache_find(first, 15, cached.scope, 1, 1, &found));
	tls_cache_clear();
	assert_int_equal(tls_cache_count(), 0);
}

/* A session that is only its number. */
static const uint8_t *id_of(unsigned number)
{
	static _Thread_local uint8_t id[32];
	for (unsigned i = 0; i < 4; i++)
		id[i] = (uint8_t)(number >> 8 * i);
	return id;
}

static void put(unsigned from, unsigned count, time_t expires)
{
	struct rg_tls_cached cached = {.expires = expires, .lasts_ns = UINT64_MAX};
	for (unsigned i = from; i < from + count; i++) {
		cached.session = SSL_SESSION_new();
		assert_int_equal(SSL_SESSION_set1_id(cached.session, id_of(i), 32), 1);
		tls_cache_put(&cached);
		SSL_SESSION_free(cached.session);
	}
}

static unsigned count_there(unsigned from, unsigned count)
{
	struct rg_tls_cached found;
	unsigned there = 0;
	for (unsigned i = from; i < from + count; i++) {
		if (!tls_cache_find(id_of(i), 32, (uint8_t[RG_TLS_SCOPE]){0}, time(NULL), 1,
				    &found))
			continue;
		SSL_SESSION_free(found.session);
		there++;
	}
	return there;
}

struct crowd {
	unsigned from, count;
	time_t expires;
};

static void *crowd_put(void *context)
{
	const struct crowd *crowd = context;
	put(crowd->from, crowd->count, crowd->expires);
	return NULL;
}

static void put_by_another(struct crowd crowd)
{
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, crowd_put, &crowd), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

/* Where one worker's crowd would drive out what others remember, each worker's memory would grow to
 * that of a full cache. */
static void test_E3_crowd_of_one_worker_takes_its_share_and_no_more(void **state)
{
	enum { MOST = RG_TLS_CACHE_MOST, THEIRS = 1000000 };
	time_t later = time(NULL) + 1000;
	(void)state;
	put(0, MOST, later);
	assert_int_equal(count_there(0, MOST), MOST);
	put_by_another((struct crowd){THEIRS, 2 * MOST, later});
	assert_int_equal(count_there(MOST / 2, MOST / 2), MOST / 2);
	assert_int_equal(count_there(THEIRS + 3 * MOST / 2, MOST / 2), MOST / 2);
	assert_int_equal(tls_cache_count(), MOST);
	put(MOST, 2 * MOST, later);
	assert_int_equal(count_there(5 * MOST / 2, MOST / 2), MOST / 2);
	assert_int_equal(count_there(THEIRS + 3 * MOST / 2, MOST / 2), MOST / 2);
	tls_cache_clear();
	assert_int_equal(tls_cache_count(), 0);
}

/* A worker that signs nobody in any more leaves its room to the others in the end. */
static void test_E3_expired_sessions_make_room_first(void **state)
{
	enum { MOST = RG_TLS_CACHE_MOST, THEIRS = 1000000 };
	time_t later = time(NULL) + 1000;
	(void)state;
	put_by_another((struct crowd){THEIRS, MOST / 4, 1});
	put(0, MOST, later);
	assert_int_equal(tls_cache_count(), MOST);
	assert_int_equal(count_there(0, MOST), MOST);
	tls_cache_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_workers_and_a_reload),
		cmocka_unit_test(test_E3_cache_is_bounded),
		cmocka_unit_test(test_E3_crowd_of_one_worker_takes_its_share_and_no_more),
		cmocka_unit_test(test_E3_expired_sessions_make_room_first),
	};
	return cmocka_run_group_tests_name("eap/tls_threads", tests, NULL, NULL);
}
