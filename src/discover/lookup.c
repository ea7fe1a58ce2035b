#include "discover/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "discover/address.h"
#include "discover/order.h"

#define TARGETS_MOST  4 /* of one NAPTR answer */
#define REPLACED_MOST 4 /* NAPTR records that only name another name */
#define FAMILY_MOST   (RG_FOUND_ADDRESSES / 2)

enum phase { PHASE_NAPTR, PHASE_SRV, PHASE_ADDRESS };

/* Where a NAPTR record leads. */
struct target {
	char name[RG_DNS_NAME];
	enum rg_transport transport;
	bool is_host; /* else it has SRV records */
	size_t srv_count;
	struct rg_dns_srv srv[RG_FOUND_HOSTS];
};

struct host {
	struct rg_found_host found;
	size_t v4_count, v6_count;
	union rg_address v4[FAMILY_MOST], v6[FAMILY_MOST];
};

/* A question's place among those of its phase. */
struct step {
	struct rg_lookup *lookup;
	size_t index;
};

struct rg_lookup {
	struct rg_lookup_order order;
	uv_timer_t deadline;
	enum phase phase;
	unsigned pending; /* questions; and 1 while more are being asked */
	bool finished;    /* told; what is still asked is awaited only */
	bool unavailable; /* some question was not answered */
	bool forbidden;   /* some address was not believed */
	uint32_t ttl_s, none_ttl_s;
	unsigned replaced;
	char names[REPLACED_MOST + 1][RG_DNS_NAME]; /* whose NAPTR records were asked for */
	size_t target_count, host_count;
	struct target targets[TARGETS_MOST];
	struct host hosts[RG_FOUND_HOSTS];
	struct step steps[2 * RG_FOUND_HOSTS];
	struct rg_service_tag tags[RG_SERVICE_TAGS_MOST];
	char text[]; /* of realm and tags */
};

struct rg_found *found_ref(struct rg_found *found)
{
	atomic_fetch_add_explicit(&found->references, 1, memory_order_relaxed);
	return found;
}

void found_unref(struct rg_found **held)
{
	struct rg_found *found = *held;
	*held = NULL;
	if (found && atomic_fetch_sub_explicit(&found->references, 1, memory_order_acq_rel) == 1)
		free(found);
}

static uint32_t clamp(uint32_t value, int64_t least, int64_t most)
{
	int64_t clamped = value < least ? least : value;
	return (uint32_t)(clamped > most ? most : clamped);
}

static uint32_t lifetime(const struct rg_lookup *lookup, enum rg_found_outcome outcome)
{
	const struct rg_discovery_settings *settings = lookup->order.settings;
	switch (outcome) {
	case RG_FOUND_PEERS:
		return clamp(lookup->ttl_s, settings->ttl_min_s, settings->ttl_max_s);
	case RG_FOUND_NONE:
		return clamp(lookup->none_ttl_s, settings->ttl_min_s, settings->negative_s);
	case RG_FOUND_UNAVAILABLE:
		break;
	}
	return (uint32_t)settings->backoff_s;
}

/* IPv6 first, then in turn, so that a network without it costs one attempt. */
static void addresses_order(struct host *host)
{
	struct rg_found_host *found = &host->found;
	found->address_count = 0;
	for (size_t i = 0; i < FAMILY_MOST; i++) {
		if (i < host->v6_count)
			found->addresses[found->address_count++] = host->v6[i];
		if (i < host->v4_count)
			found->addresses[found->address_count++] = host->v4[i];
	}
}

static struct rg_found *found_make(struct rg_lookup *lookup)
{
	struct rg_found *found =
		calloc(1, sizeof(*found) + lookup->host_count * sizeof(found->hosts[0]));
	if (!found)
		return NULL;
	for (size_t i = 0; i < lookup->host_count; i++) {
		addresses_order(&lookup->hosts[i]);
		if (lookup->hosts[i].found.address_count != 0)
			found->hosts[found->host_count++] = lookup->hosts[i].found;
	}
	const char *why = "found";
	if (found->host_count != 0) {
		found->outcome = RG_FOUND_PEERS;
	} else if (lookup->unavailable) {
		found->outcome = RG_FOUND_UNAVAILABLE;
		why = "DNS could not be asked";
	} else {
		found->outcome = RG_FOUND_NONE;
		why = lookup->forbidden ? "its servers' addresses are none that discovery believes"
		      : lookup->host_count ? "its servers have no address"
					   : "it has no NAPTR or SRV records for RADIUS";
	}
	snprintf(found->why, sizeof(found->why), "%s", why);
	atomic_init(&found->references, 1);
	found->told_ns = clock_now();
	found->expires_ns = found->told_ns + lifetime(lookup, found->outcome) * RG_SECOND;
	return found;
}

static void finish(struct rg_lookup *lookup)
{
	if (lookup->finished)
		return;
	lookup->finished = true;
	uv_timer_stop(&lookup->deadline);
	lookup->order.done(lookup->order.asker, found_make(lookup));
}

static void on_deadline(uv_timer_t *timer)
{
	struct rg_lookup *lookup = timer->data;
	lookup->unavailable = true;
	finish(lookup);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* What every answer tells, whatever was asked. */
static bool answer_found(struct rg_lookup *lookup, const struct rg_dns_answer *answer)
{
	switch (answer->outcome) {
	case RG_DNS_FOUND:
		if (answer->ttl_s < lookup->ttl_s)
			lookup->ttl_s = answer->ttl_s;
		return true;
	case RG_DNS_NONE:
		if (answer->ttl_s != 0 && answer->ttl_s < lookup->none_ttl_s)
			lookup->none_ttl_s = answer->ttl_s;
		return false;
	case RG_DNS_UNAVAILABLE:
		lookup->unavailable = true;
		break;
	}
	return false;
}

static void advance(struct rg_lookup *lookup);

static void question_end(struct rg_lookup *lookup)
{
	if (--lookup->pending != 0)
		return;
	if (!lookup->finished)
		advance(lookup);
	else
		uv_close((uv_handle_t *)&lookup->deadline, on_closed);
}

static void question_ask(struct rg_lookup *lookup, const char *name, enum rg_dns_type type,
			 resolver_done *done, size_t index)
{
	lookup->steps[index] = (struct step){lookup, index};
	lookup->pending++;
	resolver_ask(lookup->order.resolver, name, type, done, &lookup->steps[index]);
}

static void name_set(char out[RG_DNS_NAME], const char *name)
{
	size_t length = strnlen(name, RG_DNS_NAME - 1);
	memcpy(out, name, length);
	out[length] = '\0';
}

static void target_add(struct rg_lookup *lookup, const char *name, enum rg_transport transport,
		       bool is_host)
{
	if (lookup->target_count == TARGETS_MOST)
		return;
	struct target *target = &lookup->targets[lookup->target_count++];
	target->transport = transport;
	target->is_host = is_host;
	name_set(target->name, name);
}

/* RFC 7585 §3.4.3: a realm without NAPTR records for it may have SRV records of well-known names.
 */
static void fall_back(struct rg_lookup *lookup)
{
	static const char general[] = "aaa+auth:";
	for (size_t i = 0; i < lookup->order.tag_count; i++) {
		char name[RG_DNS_NAME + 32];
		const struct rg_service_tag *tag = &lookup->tags[i];
		if (strncmp(tag->text, general, sizeof(general) - 1) != 0)
			continue;
		snprintf(name, sizeof(name), "%s.%s",
			 tag->transport == RG_TRANSPORT_TLS ? "_radiustls._tcp"
							    : "_radiusdtls._udp",
			 lookup->order.realm);
		if (dns_name_is_good(name))
			target_add(lookup, name, tag->transport, false);
	}
}

/* A name whose NAPTR records were not asked for yet; and not too many. */
static bool replace(struct rg_lookup *lookup, const char *name)
{
	for (unsigned i = 0; i <= lookup->replaced; i++)
		if (strcmp(lookup->names[i], name) == 0)
			return false;
	if (lookup->replaced == REPLACED_MOST)
		return false;
	name_set(lookup->names[++lookup->replaced], name);
	return true;
}

static void on_naptr(void *opaque, const struct rg_dns_answer *answer)
{
	struct step *step = opaque;
	struct rg_lookup *lookup = step->lookup;
	if (!answer_found(lookup, answer) || lookup->finished) {
		question_end(lookup);
		return;
	}
	struct rg_dns_record records[RG_DNS_RECORDS_MOST];
	size_t tag[RG_DNS_RECORDS_MOST], usable = 0;
	/* Others than 's', 'a' and none lead to no host (RFC 3958 §2.2); memchr finds the NUL too.
	 */
	for (size_t i = 0; i < answer->count; i++)
		if (memchr("sa", answer->records[i].is.naptr.flag, 3))
			records[usable++] = answer->records[i];
	size_t count = naptr_order(records, usable, lookup->tags, lookup->order.tag_count, tag);
	for (size_t i = 0; i < count; i++) {
		const struct rg_dns_naptr *naptr = &records[i].is.naptr;
		if (naptr->flag != '\0') {
			target_add(lookup, naptr->replacement, lookup->tags[tag[i]].transport,
				   naptr->flag == 'a');
		} else if (lookup->target_count == 0 && replace(lookup, naptr->replacement)) {
			question_ask(lookup, naptr->replacement, RG_DNS_NAPTR, on_naptr, 0);
			break;
		}
	}
	question_end(lookup);
}

static void on_srv(void *opaque, const struct rg_dns_answer *answer)
{
	struct step *step = opaque;
	struct rg_lookup *lookup = step->lookup;
	if (answer_found(lookup, answer) && !lookup->finished) {
		struct target *target = &lookup->targets[step->index];
		struct rg_dns_record records[RG_DNS_RECORDS_MOST];
		memcpy(records, answer->records, answer->count * sizeof(records[0]));
		srv_order(records, answer->count);
		for (size_t i = 0; i < answer->count && i < RG_FOUND_HOSTS; i++)
			target->srv[target->srv_count++] = records[i].is.srv;
	}
	question_end(lookup);
}

static void host_add(struct rg_lookup *lookup, const char *name, uint16_t port,
		     enum rg_transport transport)
{
	for (size_t i = 0; i < lookup->host_count; i++) {
		const struct rg_found_host *other = &lookup->hosts[i].found;
		if (other->port == port && other->transport == transport &&
		    strcmp(other->name, name) == 0)
			return;
	}
	if (lookup->host_count == RG_FOUND_HOSTS)
		return;
	struct rg_found_host *host = &lookup->hosts[lookup->host_count++].found;
	host->port = port;
	host->transport = transport;
	name_set(host->name, name);
}

static bool is_believed(const struct rg_discovery_settings *settings,
			const union rg_address *address)
{
	switch (address_kind(address)) {
	case RG_ADDRESS_GLOBAL:
		return true;
	case RG_ADDRESS_PRIVATE:
		return settings->private;
	case RG_ADDRESS_LOOPBACK:
		return settings->loopback;
	case RG_ADDRESS_FORBIDDEN:
		break;
	}
	return false;
}

static void address_add(struct rg_lookup *lookup, struct host *host, union rg_address address)
{
	bool v4 = address.any.sa_family == AF_INET;
	size_t *count = v4 ? &host->v4_count : &host->v6_count;
	if (!is_believed(lookup->order.settings, &address)) {
		lookup->forbidden = true;
	} else if (*count < FAMILY_MOST) {
		if (v4)
			address.v4.sin_port = htons(host->found.port);
		else
			address.v6.sin6_port = htons(host->found.port);
		(v4 ? host->v4 : host->v6)[(*count)++] = address;
	}
}

static void on_address(void *opaque, const struct rg_dns_answer *answer)
{
	struct step *step = opaque;
	struct rg_lookup *lookup = step->lookup;
	if (answer_found(lookup, answer) && !lookup->finished)
		for (size_t i = 0; i < answer->count; i++)
			address_add(lookup, &lookup->hosts[step->index / 2],
				    answer->records[i].is.address);
	question_end(lookup);
}

static void ask_srv(struct rg_lookup *lookup)
{
	lookup->phase = PHASE_SRV;
	for (size_t i = 0; i < lookup->target_count; i++)
		if (!lookup->targets[i].is_host)
			question_ask(lookup, lookup->targets[i].name, RG_DNS_SRV, on_srv, i);
}

static void ask_addresses(struct rg_lookup *lookup)
{
	lookup->phase = PHASE_ADDRESS;
	for (size_t i = 0; i < lookup->target_count; i++) {
		const struct target *target = &lookup->targets[i];
		if (target->is_host)
			host_add(lookup, target->name, RG_FOUND_PORT, target->transport);
		for (size_t j = 0; j < target->srv_count; j++)
			host_add(lookup, target->srv[j].target, target->srv[j].port,
				 target->transport);
	}
	for (size_t i = 0; i < lookup->host_count; i++) {
		question_ask(lookup, lookup->hosts[i].found.name, RG_DNS_AAAA, on_address, 2 * i);
		question_ask(lookup, lookup->hosts[i].found.name, RG_DNS_A, on_address, 2 * i + 1);
	}
}

/* All questions of a phase are answered. */
static void advance(struct rg_lookup *lookup)
{
	lookup->pending = 1;
	switch (lookup->phase) {
	case PHASE_NAPTR:
		if (lookup->target_count == 0 && !lookup->unavailable)
			fall_back(lookup);
		ask_srv(lookup);
		break;
	case PHASE_SRV:
		ask_addresses(lookup);
		break;
	case PHASE_ADDRESS:
		finish(lookup);
		break;
	}
	question_end(lookup);
}

static void copy_texts(struct rg_lookup *lookup, const struct rg_lookup_order *order)
{
	char *at = lookup->text;
	strcpy(at, order->realm);
	lookup->order.realm = at;
	at += strlen(at) + 1;
	for (size_t i = 0; i < order->tag_count; i++) {
		strcpy(at, order->tags[i].text);
		lookup->tags[i] = (struct rg_service_tag){at, order->tags[i].transport};
		at += strlen(at) + 1;
	}
}

bool lookup_begin(const struct rg_lookup_order *order)
{
	size_t length = strlen(order->realm) + 1;
	for (size_t i = 0; i < order->tag_count; i++)
		length += strlen(order->tags[i].text) + 1;
	struct rg_lookup *lookup = calloc(1, sizeof(*lookup) + length);
	if (!lookup)
		return false;
	lookup->order = *order;
	lookup->ttl_s = lookup->none_ttl_s = UINT32_MAX;
	lookup->pending = 1;
	copy_texts(lookup, order);
	name_set(lookup->names[0], lookup->order.realm);
	uv_timer_init(order->loop, &lookup->deadline);
	lookup->deadline.data = lookup;
	uv_timer_start(&lookup->deadline, on_deadline, (uint64_t)order->settings->timeout_ms, 0);
	question_ask(lookup, lookup->order.realm, RG_DNS_NAPTR, on_naptr, 0);
	question_end(lookup);
	return true;
}
