/* A DNS server of the test's own, on loopback, and the octets that it sends. */
#ifndef ZONE_H
#define ZONE_H
/* cmocka.h wants these before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */
#include "discover/message.h"

/* "" is the root. */
void wire_name(struct rg_buffer *, const char *name);
void wire_text(struct rg_buffer *, const char *text);
/* Header and question. */
void wire_head(struct rg_buffer *, uint16_t flags, unsigned answers, unsigned authorities,
	       const char *name, unsigned type);
/* A record's frame; wire_end writes its length. */
size_t wire_record(struct rg_buffer *, const char *owner, unsigned type, uint32_t ttl_s);
void wire_end(struct rg_buffer *, size_t record);
void wire_naptr(struct rg_buffer *, const char *owner, uint32_t ttl_s, unsigned order,
		unsigned preference, const char *flags, const char *service, const char *regexp,
		const char *replacement);
void wire_srv(struct rg_buffer *, const char *owner, uint32_t ttl_s, unsigned priority,
	      unsigned weight, unsigned port, const char *target);
void wire_address(struct rg_buffer *, const char *owner, uint32_t ttl_s, const char *address);
void wire_alias(struct rg_buffer *, const char *owner, uint32_t ttl_s, const char *alias);

#define WIRE_ANSWER 0x8180u

enum zone_mood {
	ZONE_ANSWERS,
	ZONE_SILENT,
	ZONE_FAILS,     /* SERVFAIL */
	ZONE_TRUNCATES, /* over UDP; all over TCP */
	ZONE_BABBLES,   /* the right ID and question, then noise */
};

struct zone;
struct zone *zone_open(void);
void zone_close(struct zone **);
unsigned zone_port(const struct zone *);
void zone_mood(struct zone *, enum zone_mood);
/* One more record; what it writes is the record's frame and data. Of a name without any: NXDOMAIN,
 * with the TTL of zone_negative. */
void zone_naptr(struct zone *, const char *owner, uint32_t ttl_s, unsigned order,
		unsigned preference, const char *flags, const char *service,
		const char *replacement);
void zone_srv(struct zone *, const char *owner, uint32_t ttl_s, unsigned priority, unsigned weight,
	      unsigned port, const char *target);
void zone_address(struct zone *, const char *owner, uint32_t ttl_s, const char *address);
void zone_negative(struct zone *, uint32_t ttl_s);
/* How often it was asked for that; type 0: for anything of that name; name NULL: at all. */
unsigned zone_asked(struct zone *, const char *name, unsigned type);
#endif
