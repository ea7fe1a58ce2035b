#include "discover/order.h"

#include <openssl/rand.h>
#include <string.h>

static size_t tag_find(const struct rg_service_tag *tags, size_t count, const char *service)
{
	size_t i = 0;
	while (i < count && strcmp(tags[i].text, service) != 0)
		i++;
	return i;
}

static bool naptr_before(const struct rg_dns_naptr *a, size_t a_tag, const struct rg_dns_naptr *b,
			 size_t b_tag)
{
	if (a->order != b->order)
		return a->order < b->order;
	if (a->preference != b->preference)
		return a->preference < b->preference;
	return a_tag < b_tag;
}

size_t naptr_order(struct rg_dns_record *records, size_t count, const struct rg_service_tag *tags,
		   size_t tag_count, size_t tag[RG_DNS_RECORDS_MOST])
{
	size_t fit = 0, lowest = 0;
	for (size_t i = 0; i < count && i < RG_DNS_RECORDS_MOST; i++) {
		struct rg_dns_record record = records[i];
		size_t found = tag_find(tags, tag_count, record.is.naptr.service), at = fit;
		if (found == tag_count)
			continue;
		for (; at > 0 && naptr_before(&record.is.naptr, found, &records[at - 1].is.naptr,
					      tag[at - 1]);
		     at--) {
			records[at] = records[at - 1];
			tag[at] = tag[at - 1];
		}
		records[at] = record;
		tag[at] = found;
		fit++;
	}
	while (lowest < fit && records[lowest].is.naptr.order == records[0].is.naptr.order)
		lowest++;
	return lowest;
}

static uint32_t random_below(uint32_t bound)
{
	uint32_t random = 0;
	RAND_bytes((unsigned char *)&random, sizeof(random));
	return random % bound;
}

/* The next of records of one priority: a weight of 0 has a chance too, a very small one. */
static size_t srv_draw(const struct rg_dns_record *records, size_t count)
{
	uint32_t sum = 0, at = 0;
	for (size_t i = 0; i < count; i++)
		sum += (uint32_t)records[i].is.srv.weight * 64 + 1;
	uint32_t drawn = random_below(sum);
	for (size_t i = 0; i < count; i++) {
		at += (uint32_t)records[i].is.srv.weight * 64 + 1;
		if (drawn < at)
			return i;
	}
	return 0;
}

void srv_order(struct rg_dns_record *records, size_t count)
{
	for (size_t placed = 0; placed < count; placed++) {
		size_t equals = placed;
		uint16_t lowest = UINT16_MAX;
		for (size_t i = placed; i < count; i++)
			if (records[i].is.srv.priority < lowest)
				lowest = records[i].is.srv.priority;
		/* Those of the lowest priority come to the front of what is not placed yet. */
		for (size_t i = placed; i < count; i++)
			if (records[i].is.srv.priority == lowest) {
				struct rg_dns_record record = records[i];
				records[i] = records[equals];
				records[equals++] = record;
			}
		size_t drawn = placed + srv_draw(records + placed, equals - placed);
		struct rg_dns_record record = records[drawn];
		records[drawn] = records[placed];
		records[placed] = record;
	}
}
