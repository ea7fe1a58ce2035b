/* In which order found records are tried. */
#ifndef RG_DISCOVER_ORDER_H
#define RG_DISCOVER_ORDER_H
#include "config/raddb.h"
#include "discover/message.h"

/* Sorts the records that bear one of the tags by order, preference, then place among the tags, to
 * the front, and returns how many: those of the lowest such order alone (RFC 3403 §4.1). tag[i]: of
 * the i-th, which of tags. */
size_t naptr_order(struct rg_dns_record *, size_t count, const struct rg_service_tag *tags,
		   size_t tag_count, size_t tag[RG_DNS_RECORDS_MOST]);

/* Sorts by priority; among equals as chance and their weights say (RFC 2782). */
void srv_order(struct rg_dns_record *, size_t count);
#endif
