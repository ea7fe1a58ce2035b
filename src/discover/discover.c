#include "discover/discover.h"

#include <ares.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/reserve.h"
#include "core/sandbox.h"
#include "core/text.h"
#include "core/thread.h"
#include "discover/table.h"
#include "route/table.h"

#define LOOKUPS_MOST 64   /* at DNS at once */
#define QUEUE_MOST   1024 /* and behind them */
#define TOLD_MOST    200
/* How long after its end what was found still serves while DNS cannot be asked (RFC 8767 §5). */
#define STALE_NS (24 * 3600 * RG_SECOND)

struct rg_search {
	struct rg_message message; /* first: it is what the mailbox holds */
	struct rg_search *next;    /* among its entry's */
	struct rg_mailbox *mailbox;
	discover_done *done; /* NULL once cancelled; the worker's thread only */
	void *asker;
	struct rg_found *found;
	atomic_uint holders; /* the asker and discovery; the last one frees */
};

struct rg_discover {
	struct rg_discover *next;
	unsigned references; /* under registry_lock */
	struct rg_arena arena;
	struct rg_discovery_settings settings; /* its own copy */
	struct rg_found *refused;              /* for realms that are not looked for */
	atomic_uint searches;
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t wake;
	struct rg_resolver *resolver; /* the thread's, like all that follows up to the lock */
	unsigned asking;
	bool troubled; /* the last lookup found nobody to ask */
	pthread_mutex_t lock;
	atomic_bool closing;
	struct rg_table table;
	struct rg_entry *queue, **queue_end; /* by newer */
	size_t queued;
};

/* The process-wide table of open ones. */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rg_discover *registry;

static void search_release(struct rg_search *search)
{
	if (atomic_fetch_sub_explicit(&search->holders, 1, memory_order_acq_rel) != 1)
		return;
	found_unref(&search->found);
	free(search);
}

/* On the worker's loop; or, closing, wherever the mailbox was found closed. */
static void search_deliver(struct rg_message *message, void *owner, bool closing)
{
	struct rg_search *search = (struct rg_search *)message;
	(void)owner;
	if (!closing && search->done) {
		discover_done *done = search->done;
		search->done = NULL;
		done(search->asker, search->found);
		search_release(search); /* the asker's hold ends with done */
	}
	search_release(search);
}

void search_cancel(struct rg_search **held)
{
	struct rg_search *search = *held;
	if (!search)
		return;
	*held = NULL;
	search->done = NULL;
	search_release(search);
}

static void searches_answer(struct rg_discover *discover, struct rg_search *search,
			    struct rg_found *found)
{
	while (search) {
		struct rg_search *next = search->next;
		search->found = found ? found_ref(found) : NULL;
		atomic_fetch_sub_explicit(&discover->searches, 1, memory_order_relaxed);
		mailbox_post(search->mailbox, &search->message);
		search = next;
	}
}

/* DNS cannot be asked now, but could before: what it said then serves on for a while. */
static struct rg_found *found_prolong(struct rg_discover *discover, const struct rg_found *former)
{
	uint64_t now = clock_now();
	if (!former || former->outcome != RG_FOUND_PEERS || now >= former->told_ns + STALE_NS)
		return NULL;
	size_t size = sizeof(*former) + former->host_count * sizeof(former->hosts[0]);
	struct rg_found *found = malloc(size);
	if (!found)
		return NULL;
	found->outcome = former->outcome;
	found->told_ns = former->told_ns;
	found->expires_ns = now + (uint64_t)discover->settings.backoff_s * RG_SECOND;
	found->host_count = former->host_count;
	snprintf(found->why, sizeof(found->why), "found before; DNS cannot be asked now");
	memcpy(found->hosts, former->hosts, former->host_count * sizeof(former->hosts[0]));
	atomic_init(&found->references, 1);
	return found;
}

static void say(const struct rg_entry *entry, const struct rg_found *found)
{
	static struct rg_log_limit limit = {.burst = 5, .every_s = 60};
	char realm[256];
	text_escape(realm, sizeof(realm), span_text(entry->realm));
	if (found && found->outcome == RG_FOUND_PEERS)
		log_limited(&limit, RG_LOG_INFO, "discovery: %s is served by %s port %u%s", realm,
			    found->hosts[0].name, found->hosts[0].port,
			    found->host_count > 1 ? " and others" : "");
	else
		log_limited(&limit, RG_LOG_WARNING, "discovery: no peer of %s: %s", realm,
			    found ? found->why : "out of memory");
}

/* An entry has its answer. Takes over the reference. */
static void entry_answer(struct rg_discover *discover, struct rg_entry *entry,
			 struct rg_found *found)
{
	pthread_mutex_lock(&discover->lock);
	bool unavailable = !found || found->outcome == RG_FOUND_UNAVAILABLE;
	struct rg_found *former = unavailable ? found_prolong(discover, entry->found) : NULL;
	if (former) {
		found_unref(&found);
		found = former;
	}
	struct rg_search *searches = entry->searches;
	entry->searches = NULL;
	say(entry, found);
	if (found)
		found_ref(found);
	table_learn(&discover->table, entry, found);
	pthread_mutex_unlock(&discover->lock);
	searches_answer(discover, searches, found);
	found_unref(&found);
}

struct asked {
	struct rg_discover *discover;
	struct rg_entry *entry;
};

static void on_looked_up(void *opaque, struct rg_found *found)
{
	struct asked *asked = opaque;
	struct rg_discover *discover = asked->discover;
	discover->asking--;
	discover->troubled = !found || found->outcome == RG_FOUND_UNAVAILABLE;
	entry_answer(discover, asked->entry, found);
	free(asked);
	uv_async_send(&discover->wake);
}

static struct rg_entry *queue_take(struct rg_discover *discover)
{
	pthread_mutex_lock(&discover->lock);
	struct rg_entry *entry = discover->queue;
	if (entry) {
		discover->queue = entry->newer;
		if (!discover->queue)
			discover->queue_end = &discover->queue;
		discover->queued--;
		entry->newer = NULL;
		entry->state = RG_ENTRY_ASKED;
	}
	pthread_mutex_unlock(&discover->lock);
	return entry;
}

static unsigned try_ms(const struct rg_discover *discover)
{
	return (unsigned)discover->settings.timeout_ms / 3 + 1;
}

/* The machine's resolv.conf may say other servers by now. */
static void resolver_renew(struct rg_discover *discover)
{
	char why[256];
	struct rg_resolver *fresh;
	if (!discover->troubled || discover->asking != 0 || discover->settings.resolvers.count != 0)
		return;
	discover->troubled = false;
	fresh = resolver_open(&discover->loop, &discover->settings.resolvers, try_ms(discover),
			      why);
	if (!fresh)
		return;
	resolver_close(&discover->resolver);
	discover->resolver = fresh;
}

static void entry_ask(struct rg_discover *discover, struct rg_entry *entry)
{
	struct asked *asked = NULL;
	struct rg_lookup_order order = {
		.loop = &discover->loop,
		.resolver = discover->resolver,
		.settings = &discover->settings,
		.realm = entry->realm,
		.tags = entry->tags,
		.tag_count = entry->tag_count,
		.done = on_looked_up,
	};
	/* Who waited that long has been given up; a queue behind a DNS that hangs drains. */
	uint64_t wait_ns = (uint64_t)discover->settings.timeout_ms * RG_MS;
	if (!atomic_load(&discover->closing) && clock_now() < entry->queued_ns + wait_ns)
		asked = malloc(sizeof(*asked));
	if (!asked) {
		entry_answer(discover, entry, NULL);
		return;
	}
	*asked = (struct asked){discover, entry};
	order.asker = asked;
	discover->asking++;
	if (!lookup_begin(&order))
		on_looked_up(asked, NULL);
}

static void on_wake(uv_async_t *wake)
{
	struct rg_discover *discover = wake->data;
	struct rg_entry *entry;
	bool closing = atomic_load(&discover->closing);
	if (closing)
		resolver_close(&discover->resolver); /* ends all lookups */
	else
		resolver_renew(discover);
	while ((closing || discover->asking < LOOKUPS_MOST) && (entry = queue_take(discover)))
		entry_ask(discover, entry);
	if (closing && !uv_is_closing((uv_handle_t *)wake))
		uv_close((uv_handle_t *)wake, NULL);
}

static void *run(void *opaque)
{
	struct rg_discover *discover = opaque;
	sandbox_enter(RG_ROLE_DISCOVERY);
	uv_run(&discover->loop, UV_RUN_DEFAULT);
	return NULL;
}

static struct rg_strings strings_copy(struct rg_arena *arena, const struct rg_strings *from)
{
	const char **items = arena_alloc(arena, (from->count + 1) * sizeof(*items));
	for (size_t i = 0; i < from->count; i++)
		items[i] = arena_text(arena, from->items[i]);
	return (struct rg_strings){items, from->count};
}

static struct rg_found *refused_make(void)
{
	struct rg_found *found = calloc(1, sizeof(*found));
	if (!found)
		return NULL;
	atomic_init(&found->references, 1);
	found->outcome = RG_FOUND_NONE;
	found->expires_ns = UINT64_MAX;
	snprintf(found->why, sizeof(found->why), "it is none that is looked for");
	return found;
}

static void discover_free(struct rg_discover *discover)
{
	table_destroy(&discover->table);
	found_unref(&discover->refused);
	pthread_mutex_destroy(&discover->lock);
	arena_free(&discover->arena);
	free(discover);
}

static bool discover_start(struct rg_discover *discover, char *why)
{
	int failed = uv_loop_init(&discover->loop);
	if (failed == 0 && (failed = uv_async_init(&discover->loop, &discover->wake, on_wake)) != 0)
		uv_loop_close(&discover->loop);
	if (failed != 0) {
		snprintf(why, 256, "discovery: its loop: %s", uv_strerror(failed));
		return false;
	}
	discover->wake.data = discover;
	discover->resolver = resolver_open(&discover->loop, &discover->settings.resolvers,
					   try_ms(discover), why);
	bool fine = discover->resolver;
	if (fine && !thread_begin(&discover->thread, run, discover)) {
		snprintf(why, 256, "discovery: a thread cannot be started: %m");
		fine = false;
	}
	if (fine)
		return true;
	resolver_close(&discover->resolver);
	uv_close((uv_handle_t *)&discover->wake, NULL);
	uv_run(&discover->loop, UV_RUN_DEFAULT);
	uv_loop_close(&discover->loop);
	return false;
}

static struct rg_discover *discover_open(const struct rg_discovery_settings *settings, char *why)
{
	struct rg_discover *discover = reserve_begin() ? calloc(1, sizeof(*discover)) : NULL;
	snprintf(why, 256, "out of memory");
	if (!discover)
		return NULL;
	discover->references = 1;
	discover->settings = *settings;
	discover->settings.resolvers = strings_copy(&discover->arena, &settings->resolvers);
	discover->settings.allow = strings_copy(&discover->arena, &settings->allow);
	discover->queue_end = &discover->queue;
	discover->refused = refused_make();
	pthread_mutex_init(&discover->lock, NULL);
	if (!reserve_used() && discover->refused && table_init(&discover->table, (size_t)settings->cache) &&
	    discover_start(discover, why))
		return discover;
	discover_free(discover);
	return NULL;
}

struct rg_discover *discover_get(const struct rg_discovery_settings *settings, char *why)
{
	pthread_mutex_lock(&registry_lock);
	struct rg_discover *discover = registry;
	while (discover && strcmp(discover->settings.digest, settings->digest) != 0)
		discover = discover->next;
	if (discover) {
		discover->references++;
	} else if (ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS) {
		discover = discover_open(settings, why);
		if (discover) {
			discover->next = registry;
			registry = discover;
		} else {
			ares_library_cleanup();
		}
	} else {
		snprintf(why, 256, "c-ares cannot be used");
	}
	pthread_mutex_unlock(&registry_lock);
	return discover;
}

void discover_unref(struct rg_discover **held)
{
	struct rg_discover *discover = *held;
	if (!discover)
		return;
	*held = NULL;
	pthread_mutex_lock(&registry_lock);
	bool last = --discover->references == 0;
	if (last) {
		struct rg_discover **at = &registry;
		while (*at != discover)
			at = &(*at)->next;
		*at = discover->next;
	}
	pthread_mutex_unlock(&registry_lock);
	if (!last)
		return;
	atomic_store(&discover->closing, true);
	uv_async_send(&discover->wake);
	pthread_join(discover->thread, NULL);
	uv_loop_close(&discover->loop);
	discover_free(discover);
	pthread_mutex_lock(&registry_lock);
	ares_library_cleanup();
	pthread_mutex_unlock(&registry_lock);
}

/* Lower case, as DNS has it; false: nothing that discovery looks for. Names beyond ASCII would have
 * to be made A-labels (RFC 7585 §3.4.3): a realm that wants to be found has its users write those.
 */
static bool realm_take(const struct rg_discover *discover, struct rg_span realm,
		       char out[RG_DNS_NAME])
{
	if (realm.length == 0 || realm.length >= RG_DNS_NAME ||
	    memchr(realm.data, '\0', realm.length))
		return false;
	memcpy(out, realm.data, realm.length);
	out[realm.length] = '\0';
	text_lower(out);
	return dns_name_is_good(out) && names_claim(&discover->settings.allow, realm);
}

static struct rg_search *search_new(struct rg_discover *discover,
				    const struct rg_discover_order *order)
{
	if (atomic_load_explicit(&discover->searches, memory_order_relaxed) >= RG_SEARCHES_MOST)
		return NULL;
	struct rg_search *search = calloc(1, sizeof(*search));
	if (!search)
		return NULL;
	search->message.deliver = search_deliver;
	search->mailbox = order->mailbox;
	search->done = order->done;
	search->asker = order->asker;
	atomic_init(&search->holders, 2);
	return search;
}

/* Its entry, behind all others that wait; under the lock. NULL: the queue is full or there is no
 * memory. */
static struct rg_entry *entry_queue(struct rg_discover *discover, struct rg_entry *entry,
				    const char *realm, const struct rg_discover_order *order)
{
	if (discover->queued >= QUEUE_MOST)
		return NULL;
	if (entry)
		table_forget(&discover->table, entry);
	else
		entry = table_add(&discover->table, realm, order->tags, order->tag_count);
	if (!entry)
		return NULL;
	entry->queued_ns = clock_now();
	*discover->queue_end = entry;
	discover->queue_end = &entry->newer;
	discover->queued++;
	return entry;
}

/* Under the lock. */
static struct rg_search *search_begin(struct rg_discover *discover, const char *realm,
				      const struct rg_discover_order *order,
				      struct rg_found **found)
{
	struct rg_entry *entry = table_find(&discover->table, realm, order->tags, order->tag_count);
	if (entry && entry->state == RG_ENTRY_KNOWN && clock_now() < entry->found->expires_ns) {
		*found = found_ref(entry->found);
		return NULL;
	}
	struct rg_search *search = search_new(discover, order);
	if (!search)
		return NULL;
	if (!entry || entry->state == RG_ENTRY_KNOWN)
		entry = entry_queue(discover, entry, realm, order);
	if (!entry) {
		free(search);
		return NULL;
	}
	search->next = entry->searches;
	entry->searches = search;
	atomic_fetch_add_explicit(&discover->searches, 1, memory_order_relaxed);
	return search;
}

struct rg_search *discover_ask(struct rg_discover *discover, const struct rg_discover_order *order,
			       struct rg_found **found)
{
	char realm[RG_DNS_NAME];
	*found = NULL;
	if (!realm_take(discover, order->realm, realm)) {
		*found = found_ref(discover->refused);
		return NULL;
	}
	pthread_mutex_lock(&discover->lock);
	struct rg_search *search = search_begin(discover, realm, order, found);
	pthread_mutex_unlock(&discover->lock);
	if (search)
		uv_async_send(&discover->wake);
	return search;
}

static json_t *entry_json(const struct rg_entry *entry, uint64_t now)
{
	json_t *servers = json_array();
	uint64_t expires_ns = entry->found->expires_ns;
	for (size_t i = 0; i < entry->found->host_count; i++) {
		const struct rg_found_host *host = &entry->found->hosts[i];
		json_array_append_new(
			servers,
			json_sprintf("%s:%u/%s", host->name, host->port,
				     host->transport == RG_TRANSPORT_TLS ? "tls" : "dtls"));
	}
	return json_pack("{s:s, s:o, s:I}", "realm", entry->realm, "servers", servers, "expires_s",
			 (json_int_t)(expires_ns > now ? (expires_ns - now) / RG_SECOND : 0));
}

json_t *discover_status_json(struct rg_discover *discover)
{
	json_t *realms = json_array();
	uint64_t now = clock_now();
	pthread_mutex_lock(&discover->lock);
	const struct rg_entry *entry = discover->table.found.newest;
	for (unsigned i = 0; entry && i < TOLD_MOST; i++, entry = entry->older)
		json_array_append_new(realms, entry_json(entry, now));
	size_t known = discover->table.known;
	pthread_mutex_unlock(&discover->lock);
	return json_pack("{s:I, s:I, s:o}", "known", (json_int_t)known, "asking",
			 (json_int_t)atomic_load(&discover->searches), "realms", realms);
}
