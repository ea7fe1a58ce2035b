/* The way from a realm to its peers (RFC 7585), with answers of DNS as the input has them, in the
 * order in which it has them: so many questions and no more, each for a good name and none twice in
 * vain; what is found is bounded, believable and none but what some answer said. */
#include "fuzz.h"

#include <arpa/inet.h>

#include "discover/address.h"
#include "discover/lookup.h"

#define QUESTIONS_MOST (1 + 4 + 4 + 2 * RG_FOUND_HOSTS) /* NAPTR, SRV, addresses */
#define SAID_MOST      2048

static struct rg_service_tag tags[] = {
	{"x-eduroam:radius.tls", RG_TRANSPORT_TLS},
	{"aaa+auth:radius.tls.tcp", RG_TRANSPORT_TLS},
	{"aaa+auth:radius.dtls.udp", RG_TRANSPORT_DTLS},
};

static const char *const names[] = {
	"beuningen.nl",           "druten.nl", "radius.example",  "a.b.c.example",
	"_radsec._tcp.druten.nl", "nl",        "proxy.druten.nl", "x"};
static const char *const services[] = {"x-eduroam:radius.tls", "aaa+auth:radius.tls.tcp",
				       "aaa+auth:radius.dtls.udp", "sip+d2u"};

static struct play {
	struct rg_cursor script;
	struct rg_discovery_settings settings;
	struct {
		char name[RG_DNS_NAME];
		enum rg_dns_type type;
		resolver_done *done;
		void *asker;
		bool answered;
	} questions[QUESTIONS_MOST];
	size_t asked, waiting;
	bool at_once; /* the resolver answers before it returns */
	bool told;
	struct rg_found *found;
	/* All addresses that some answer had. */
	union rg_address said[SAID_MOST];
	size_t said_count;
} play;

/* A name: of the vocabulary, with one more label before it, or as long as names may be. */
static void name_make(char out[RG_DNS_NAME])
{
	uint8_t which = cursor_u8(&play.script);
	const char *name = names[which % 8];
	size_t before = which & 0x40 ? 5 : 0;
	if ((which & 0xf8) == 0xf8) {
		for (size_t i = 0; i < RG_DNS_NAME - 1; i++)
			out[i] = i % 2 ? '.' : 'a';
		out[RG_DNS_NAME - 1] = '\0';
		return;
	}
	memcpy(out, "host.", before);
	memcpy(out + before, name, strlen(name) + 1);
}

static void address_make(union rg_address *address, enum rg_dns_type type)
{
	static const char *const v4[] = {"198.51.100.1", "203.0.113.9", "10.1.2.3", "127.0.0.1",
					 "169.254.1.1",  "224.0.0.1",   "0.0.0.0",  "192.168.1.1"};
	static const char *const v6[] = {"2001:db8::1", "2001:db8::2",     "fd00::1", "::1",
					 "fe80::1",     "::ffff:10.0.0.1", "ff02::1", "::"};
	uint8_t which = cursor_u8(&play.script);
	*address = (union rg_address){.any.sa_family = type == RG_DNS_A ? AF_INET : AF_INET6};
	if (type == RG_DNS_A) {
		inet_pton(AF_INET, v4[which % 8], &address->v4.sin_addr);
		address->v4.sin_addr.s_addr ^= htonl(which >> 3);
	} else {
		inet_pton(AF_INET6, v6[which % 8], &address->v6.sin6_addr);
		address->v6.sin6_addr.s6_addr[15] ^= which >> 3;
	}
	MUST(play.said_count < SAID_MOST);
	play.said[play.said_count++] = *address;
}

static void record_make(struct rg_dns_record *record, enum rg_dns_type type)
{
	uint8_t how = cursor_u8(&play.script);
	*record = (struct rg_dns_record){0};
	if (type == RG_DNS_NAPTR) {
		struct rg_dns_naptr *naptr = &record->is.naptr;
		naptr->order = how >> 6;
		naptr->preference = how >> 4 & 3;
		naptr->flag = "sa\0u"[how & 3];
		strcpy(naptr->service, services[how >> 2 & 3]);
		name_make(naptr->replacement);
	} else if (type == RG_DNS_SRV) {
		record->is.srv.priority = how >> 6;
		record->is.srv.weight = how >> 4 & 3;
		record->is.srv.port = (uint16_t)(2083 + (how & 3));
		name_make(record->is.srv.target);
	} else {
		address_make(&record->is.address, type);
	}
}

/* As message.c lets answers through: FOUND has records, the others have none. */
static void answer_make(struct rg_dns_answer *answer, enum rg_dns_type type)
{
	uint8_t how = cursor_u8(&play.script);
	answer->outcome = RG_DNS_NONE;
	answer->ttl_s = how & 0x40 ? 60 : 0;
	answer->count = 0;
	if (play.script.failed || (how & 7) == 7) {
		answer->outcome = how & 8 ? RG_DNS_NONE : RG_DNS_UNAVAILABLE;
		return;
	}
	answer->count = how & 0x80 ? 1 + (how & 31) : 1 + (how & 3);
	answer->outcome = RG_DNS_FOUND;
	answer->ttl_s = how & 0x20 ? UINT32_MAX : (uint32_t)how * 1000;
	for (size_t i = 0; i < answer->count; i++)
		record_make(&answer->records[i], type);
}

static void answer_one(size_t which)
{
	static struct rg_dns_answer answers[QUESTIONS_MOST]; /* one may ask for another */
	MUST(!play.questions[which].answered);
	play.questions[which].answered = true;
	answer_make(&answers[which], play.questions[which].type);
	play.questions[which].done(play.questions[which].asker, &answers[which]);
}

/* The resolver is this file. */
void resolver_ask(struct rg_resolver *resolver, const char *name, enum rg_dns_type type,
		  resolver_done *done, void *asker)
{
	(void)resolver;
	MUST(!play.told && play.asked < QUESTIONS_MOST && dns_name_is_good(name));
	for (size_t i = 0; i < play.asked; i++)
		MUST(type != RG_DNS_NAPTR || play.questions[i].type != type ||
		     strcmp(play.questions[i].name, name) != 0);
	size_t number = play.asked++;
	memcpy(play.questions[number].name, name, strlen(name) + 1);
	play.questions[number].type = type;
	play.questions[number].done = done;
	play.questions[number].asker = asker;
	play.questions[number].answered = false;
	if (play.at_once)
		answer_one(number);
}

struct rg_resolver *resolver_open(uv_loop_t *loop, const struct rg_strings *servers,
				  unsigned timeout_ms, char *why)
{
	(void)loop;
	(void)servers;
	(void)timeout_ms;
	(void)why;
	return NULL;
}

void resolver_close(struct rg_resolver **resolver)
{
	(void)resolver;
}

static void on_done(void *asker, struct rg_found *found)
{
	MUST(asker == &play && !play.told && found);
	play.told = true;
	play.found = found;
}

/* Some answer said it, and it is of a kind that is believed. */
static void judge_address(const union rg_address *address, uint16_t port)
{
	bool v4 = address->any.sa_family == AF_INET, said = false;
	MUST(ntohs(v4 ? address->v4.sin_port : address->v6.sin6_port) == port);
	for (size_t i = 0; i < play.said_count && !said; i++)
		said = play.said[i].any.sa_family == address->any.sa_family &&
		       memcmp(v4 ? (const void *)&play.said[i].v4.sin_addr
				 : (const void *)&play.said[i].v6.sin6_addr,
			      v4 ? (const void *)&address->v4.sin_addr
				 : (const void *)&address->v6.sin6_addr,
			      v4 ? 4 : 16) == 0;
	MUST(said);
	enum rg_address_kind kind = address_kind(address);
	MUST(kind == RG_ADDRESS_GLOBAL || (kind == RG_ADDRESS_PRIVATE && play.settings.private) ||
	     (kind == RG_ADDRESS_LOOPBACK && play.settings.loopback));
}

static void judge(const struct rg_found *found)
{
	const struct rg_discovery_settings *settings = &play.settings;
	uint64_t lifetime_s = (found->expires_ns - found->told_ns) / UINT64_C(1000000000);
	MUST(found->why[0] && strlen(found->why) < sizeof(found->why));
	MUST((found->outcome == RG_FOUND_PEERS) == (found->host_count != 0));
	MUST(found->host_count <= RG_FOUND_HOSTS);
	if (found->outcome == RG_FOUND_UNAVAILABLE)
		MUST(lifetime_s == (uint64_t)settings->backoff_s);
	else
		MUST(lifetime_s >= (uint64_t)settings->ttl_min_s &&
		     lifetime_s <= (uint64_t)(found->host_count ? settings->ttl_max_s
								: settings->negative_s));
	for (size_t i = 0; i < found->host_count; i++) {
		const struct rg_found_host *host = &found->hosts[i];
		MUST(dns_name_is_good(host->name) && host->port != 0);
		MUST(host->transport == RG_TRANSPORT_TLS || host->transport == RG_TRANSPORT_DTLS);
		MUST(host->address_count != 0 && host->address_count <= RG_FOUND_ADDRESSES);
		for (size_t j = 0; j < host->address_count; j++)
			judge_address(&host->addresses[j], host->port);
		for (size_t j = 0; j < i; j++)
			MUST(found->hosts[j].port != host->port ||
			     found->hosts[j].transport != host->transport ||
			     strcmp(found->hosts[j].name, host->name) != 0);
	}
}

/* The waiting question that the input points at; false: none waits. */
static bool answer_next(void)
{
	size_t waiting[QUESTIONS_MOST], count = 0;
	for (size_t i = 0; i < play.asked; i++)
		if (!play.questions[i].answered)
			waiting[count++] = i;
	if (count != 0)
		answer_one(waiting[count > 1 ? cursor_u8(&play.script) % count : 0]);
	return count != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uv_loop_t loop;
	static bool ready;
	if (!ready)
		MUST(uv_loop_init(&loop) == 0);
	ready = true;
	play.script = cursor_over(span_of(data, size));
	uint8_t how = cursor_u8(&play.script);
	play.asked = play.said_count = 0;
	play.told = false;
	play.found = NULL;
	play.at_once = how & 1;
	play.settings = (struct rg_discovery_settings){
		.timeout_ms = 3600000,
		.ttl_min_s = 30,
		.ttl_max_s = 7200,
		.negative_s = 600,
		.backoff_s = 20,
		.private = how & 2,
		.loopback = how & 4,
	};
	const struct rg_lookup_order order = {
		.loop = &loop,
		.settings = &play.settings,
		.realm = how & 8 ? "druten.nl" : "beuningen.nl",
		.tags = tags,
		.tag_count = 1 + (how >> 4) % 3,
		.done = on_done,
		.asker = &play,
	};
	MUST(lookup_begin(&order));
	while (answer_next())
		;
	MUST(play.told);
	judge(play.found);
	found_unref(&play.found);
	uv_run(&loop, UV_RUN_NOWAIT); /* what was closed is let go of */
	MUST(!uv_loop_alive(&loop));
	return 0;
}
