/* What single steps of a packet's way cost in instructions, counted by callgrind: whatever else the
 * machine does, the count is the same. usage: valgrind --tool=callgrind --callgrind-out-file=FILE
 * micro; one dump for each step, of which the trigger says the name, and TIMES turns of it. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#include "radius/md5.h"
#include "radius/packet.h"
#include "radius/writer.h"
#include "request/link.h"
#include "request/window.h"
#include "route/table.h"

#define TIMES        1000u /* budget.json and budget.py know it */
#define TOGETHER     16u
#define REALMS       10000u
#define REQUEST_MOST 1024

static struct rg_radius_key *key;
static uint8_t request[REQUEST_MOST], reply[REQUEST_MOST], out[REQUEST_MOST];
static struct rg_span request_bytes, reply_bytes;
static uint8_t sealed[TOGETHER][REQUEST_MOST];
static const uint8_t authenticator[RG_AUTHENTICATOR] = {1, 2, 3, 4, 5, 6, 7, 8};
static volatile unsigned long kept; /* so that nothing is optimised away */

static void check(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "micro: %s\n", what);
	exit(1);
}

/* 190 octets, as `roamgate load --proxy` sends them and controllers do. */
static void make_request(void)
{
	static const uint8_t eap[] = "\002\001\000\030\001visitor42@elders.nl";
	struct rg_writer writer;
	writer_begin(&writer, request, sizeof(request), RG_ACCESS_REQUEST, 7, key);
	writer_add(&writer, RG_USER_NAME, span_text("visitor42@elders.nl"));
	writer_add(&writer, RG_NAS_IDENTIFIER, span_text("stadhuis-1"));
	writer_add_u32(&writer, RG_NAS_PORT_TYPE, 19);
	writer_add_u32(&writer, RG_SERVICE_TYPE, 2);
	writer_add(&writer, RG_CALLED_STATION_ID, span_text("02-00-00-00-00-01:govroam"));
	writer_add(&writer, RG_CALLING_STATION_ID, span_text("02-00-00-01-02-03"));
	writer_add_u32(&writer, RG_FRAMED_MTU, 1400);
	writer_add(&writer, RG_CONNECT_INFO, span_text("CONNECT 54Mbps 802.11"));
	writer_add_eap(&writer, span_of(eap, sizeof(eap) - 1));
	request_bytes = writer_request(&writer, authenticator);
	check(request_bytes.length > 180, "no request");
}

/* An Access-Accept with EAP-Success, keys and a Proxy-State. */
static void make_reply(void)
{
	static const uint8_t success[] = {3, 1, 0, 4}, msk[64] = {1};
	struct rg_writer writer;
	writer_begin(&writer, reply, sizeof(reply), RG_ACCESS_ACCEPT, 7, key);
	writer_add_eap(&writer, span_of(success, sizeof(success)));
	writer_add_mppe(&writer, msk, authenticator);
	writer_add(&writer, RG_PROXY_STATE, span_text("12345678"));
	reply_bytes = writer_reply(&writer, authenticator);
	check(reply_bytes.length > 150, "no reply");
}

static void view(void)
{
	struct rg_packet packet;
	check(packet_view(&packet, request_bytes) == RG_PACKET_OK, "view");
	kept += packet.attributes;
}

static void request_authenticity(void)
{
	struct rg_packet packet;
	check(packet_view(&packet, request_bytes) == RG_PACKET_OK, "view");
	check(request_verify(&packet, key) == RG_AUTHENTIC, "request_verify");
}

static void reply_authenticity(void)
{
	struct rg_packet packet;
	check(packet_view(&packet, reply_bytes) == RG_PACKET_OK, "view");
	check(reply_verify(&packet, authenticator, key) == RG_AUTHENTIC, "reply_verify");
}

/* Sixteen that came together: what a batch saves. */
static void verify_together(bool replies)
{
	struct rg_packet packets[TOGETHER];
	struct rg_check checks[TOGETHER];
	for (unsigned i = 0; i < TOGETHER; i++) {
		check(packet_view(&packets[i], replies ? reply_bytes : request_bytes) ==
			      RG_PACKET_OK,
		      "view");
		checks[i] = (struct rg_check){
			.packet = &packets[i],
			.key = key,
			.reply = replies,
			.authenticator = authenticator,
		};
	}
	packets_verify(checks, TOGETHER);
	for (unsigned i = 0; i < TOGETHER; i++)
		check(checks[i].result == RG_AUTHENTIC, "packets_verify");
}

static void requests_together(void)
{
	verify_together(false);
}

static void replies_together(void)
{
	verify_together(true);
}

static void seal_together(void)
{
	struct rg_unsealed unsealed[TOGETHER];
	for (unsigned i = 0; i < TOGETHER; i++)
		unsealed[i] = (struct rg_unsealed){
			.packet = sealed[i], .length = request_bytes.length, .key = key};
	packets_seal(unsealed, TOGETHER);
}

/* The octets of a packet under a state that is kept: HMAC-MD5 alone. */
static struct rg_hmac_md5 hmac_key;
static void hmac(void)
{
	uint8_t digest[RG_MD5_LENGTH];
	struct rg_md5 inner = hmac_key.inner;
	md5_add(&inner, request_bytes);
	hmac_md5_end(&hmac_key, &inner, digest);
	kept += digest[0];
}

/* What a proxy does with a request that goes on. */
static void write_request(void)
{
	struct rg_writer writer;
	writer_begin(&writer, out, sizeof(out), RG_ACCESS_REQUEST, 9, key);
	/* All but the header and the Message-Authenticator, which comes first. */
	writer_add_encoded(&writer, span_of(request + RG_RADIUS_HEADER + 18,
					    request_bytes.length - RG_RADIUS_HEADER - 18));
	writer_add(&writer, RG_PROXY_STATE, span_text("12345678"));
	check(writer_request(&writer, authenticator).length != 0, "writer_request");
}

static struct rg_route_table *few, *many;

static void realm_in(const struct rg_route_table *table)
{
	struct rg_nai nai;
	check(nai_parse(&nai, span_text("visitor42@gemeente7.nl")) == RG_NAI_OK, "nai_parse");
	check(route_table_find(table, &nai).way == RG_WAY_AWAY, "route_table_find");
}

static void realm_of_10(void)
{
	realm_in(few);
}

static void realm_of_10000(void)
{
	realm_in(many);
}

/* A table with that many realms in one route. */
static struct rg_route_table *table_of(size_t count)
{
	static char names[REALMS][24];
	static const char *list[REALMS];
	struct rg_route *route = calloc(1, sizeof(*route));
	struct rg_raddb *raddb = calloc(1, sizeof(*raddb)); /* outlives the table */
	check(route && raddb, "no memory");
	for (size_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "gemeente%zu.nl", i);
		list[i] = names[i];
	}
	route->realms = (struct rg_strings){list, count};
	raddb->routes = route;
	raddb->route_count = 1;
	struct rg_route_table *table = route_table_new(raddb);
	check(table, "no memory");
	return table;
}

/* A request that is new, then repeated, among as many as a second brings. */
static struct rg_window window;
static struct rg_link way;
static void window_turn(void)
{
	static struct rg_request one;
	static uint32_t token;
	one.link = &way;
	one.source = (union rg_address){.v4 = {.sin_family = AF_INET,
					       .sin_port = 77,
					       .sin_addr = {htonl(INADDR_LOOPBACK)}}};
	one.token = token++ % 256;
	check(!window_find(&window, &way, &one.source, one.token), "window_find");
	check(window_add(&window, &one), "window_add");
	check(window_find(&window, &way, &one.source, one.token) == &one, "window_find");
	window_answered(&window, &one);
	window_remove(&window, &one);
}

static void window_fill(void)
{
	struct rg_request *all = calloc(REALMS, sizeof(*all)); /* stays until the end */
	check(all && window_init(&window), "no memory");
	for (uint32_t i = 0; i < REALMS; i++) {
		all[i].link = &way;
		all[i].source = (union rg_address){.v4 = {.sin_family = AF_INET,
							  .sin_port = (in_port_t)(1000 + i / 256),
							  .sin_addr = {htonl(INADDR_LOOPBACK)}}};
		all[i].token = i % 256;
		check(window_add(&window, &all[i]), "window_add");
	}
}

static const struct {
	const char *name;
	void (*turn)(void);
} steps[] = {
	{"view", view},
	{"request-verify", request_authenticity},
	{"reply-verify", reply_authenticity},
	{"16-requests-verify", requests_together},
	{"16-replies-verify", replies_together},
	{"16-requests-seal", seal_together},
	{"hmac-md5", hmac},
	{"write", write_request},
	{"realm-of-10", realm_of_10},
	{"realm-of-10000", realm_of_10000},
	{"window", window_turn},
};

int main(void)
{
	key = radius_key_new(span_text("een-geheim-van-redelijke-lengte"));
	check(key, "no memory");
	hmac_md5_key(&hmac_key, span_text("een-geheim-van-redelijke-lengte"));
	make_request();
	make_reply();
	for (unsigned i = 0; i < TOGETHER; i++)
		memcpy(sealed[i], request, request_bytes.length);
	few = table_of(10);
	many = table_of(REALMS);
	window_fill();
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		steps[i].turn(); /* what is bound or fetched at first use */
		CALLGRIND_ZERO_STATS;
		for (unsigned turn = 0; turn < TIMES; turn++)
			steps[i].turn();
		CALLGRIND_DUMP_STATS_AT(steps[i].name);
	}
	return 0;
}
