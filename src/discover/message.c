#include "discover/message.h"

#include <arpa/inet.h>
#include <string.h>

#define RECORDS_READ   256 /* of one section: more is an attack */
#define ALIASES_MOST   8
#define LABEL_MOST     63
#define CLASS_IN       1
#define RCODE_NONE     0
#define RCODE_NXDOMAIN 3

/* A name as it was read; unfit: well formed, but none that a host has. */
struct name {
	char text[RG_DNS_NAME];
	size_t length;
	bool unfit;
};

struct reading {
	struct rg_span message;
	struct rg_cursor cursor;
};

static char lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static bool is_fit(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

static void name_append(struct name *name, struct rg_span label)
{
	if (name->length + (name->length != 0) + label.length >= sizeof(name->text)) {
		name->unfit = true;
		return;
	}
	if (name->length != 0)
		name->text[name->length++] = '.';
	for (size_t i = 0; i < label.length; i++) {
		name->unfit = name->unfit || !is_fit(label.data[i]);
		name->text[name->length++] = lower(label.data[i]);
	}
	name->text[name->length] = '\0';
}

/* RFC 1035 §4.1.4. Each pointer must point before the place where the labels that it ends began, so
 * that there are only so many. */
static void name_read(struct reading *reading, struct name *name)
{
	struct rg_cursor *cursor = &reading->cursor, jumped;
	size_t before = reading->message.length - cursor_left(cursor), octets = 0;
	*name = (struct name){.length = 0};
	for (;;) {
		uint8_t length = cursor_u8(cursor);
		if (cursor->failed || length == 0)
			break;
		if (length <= LABEL_MOST) {
			octets += (size_t)length + 1;
			name_append(name, cursor_take(cursor, length));
		} else {
			size_t to = (size_t)(length & 0x3f) << 8 | cursor_u8(cursor);
			if ((length & 0xc0) != 0xc0 || cursor->failed || to >= before) {
				reading->cursor.failed = true;
				return;
			}
			before = to;
			jumped = cursor_over(reading->message);
			cursor_take(&jumped, to);
			cursor = &jumped;
		}
		if (octets > 254) /* RFC 1035 §2.3.4: 255 with the root's */
			cursor->failed = true;
	}
	if (cursor->failed)
		reading->cursor.failed = true;
}

static bool name_is(const struct name *name, const char *text)
{
	return !name->unfit && strcmp(name->text, text) == 0;
}

/* One record's frame; data is a reading of its own that sees the message up to the record's end. */
struct record {
	struct name owner;
	uint16_t type, class;
	uint32_t ttl_s;
	struct reading data;
};

static void record_read(struct reading *reading, struct record *record)
{
	struct rg_cursor *cursor = &reading->cursor;
	name_read(reading, &record->owner);
	record->type = cursor_u16(cursor);
	record->class = cursor_u16(cursor);
	record->ttl_s = cursor_u32(cursor);
	if (record->ttl_s > INT32_MAX) /* RFC 2181 §8 */
		record->ttl_s = 0;
	struct rg_span data = cursor_take(cursor, cursor_u16(cursor));
	if (cursor->failed)
		return;
	record->data.message =
		span_of(reading->message.data, reading->message.length - cursor_left(cursor));
	record->data.cursor = cursor_over(data);
}

/* All octets of the record were read, and none beyond it. */
static bool data_is_whole(const struct reading *data)
{
	return !data->cursor.failed && cursor_left(&data->cursor) == 0;
}

/* A <character-string>; the same that does not fit is left empty. */
static void text_read(struct rg_cursor *cursor, char *out, size_t capacity, size_t *length)
{
	struct rg_span text = cursor_take(cursor, cursor_u8(cursor));
	*length = text.length;
	out[0] = '\0';
	if (text.length >= capacity)
		return;
	for (size_t i = 0; i < text.length; i++)
		out[i] = lower(text.data[i]);
	out[text.length] = '\0';
}

enum taken { TAKEN, LEFT_OUT, BROKEN };

/* RFC 3958 §2.2: no regular expression, and one flag at most. */
static enum taken naptr_read(struct reading *data, struct rg_dns_naptr *naptr)
{
	struct rg_cursor *cursor = &data->cursor;
	char flags[2], regexp[1];
	size_t flags_length, service_length, regexp_length;
	struct name replacement;
	naptr->order = cursor_u16(cursor);
	naptr->preference = cursor_u16(cursor);
	text_read(cursor, flags, sizeof(flags), &flags_length);
	text_read(cursor, naptr->service, sizeof(naptr->service), &service_length);
	text_read(cursor, regexp, sizeof(regexp), &regexp_length);
	name_read(data, &replacement);
	if (!data_is_whole(data))
		return BROKEN;
	if (flags_length > 1 || regexp_length != 0 || service_length != strlen(naptr->service) ||
	    replacement.length == 0 || replacement.unfit)
		return LEFT_OUT;
	naptr->flag = flags[0];
	memcpy(naptr->replacement, replacement.text, sizeof(naptr->replacement));
	return TAKEN;
}

/* RFC 2782: the root as target says that there is no such service. */
static enum taken srv_read(struct reading *data, struct rg_dns_srv *srv)
{
	struct name target;
	srv->priority = cursor_u16(&data->cursor);
	srv->weight = cursor_u16(&data->cursor);
	srv->port = cursor_u16(&data->cursor);
	name_read(data, &target);
	if (!data_is_whole(data))
		return BROKEN;
	if (target.length == 0 || target.unfit || srv->port == 0)
		return LEFT_OUT;
	memcpy(srv->target, target.text, sizeof(srv->target));
	return TAKEN;
}

static enum taken address_read(struct reading *data, enum rg_dns_type type,
			       union rg_address *address)
{
	struct rg_span octets = cursor_rest(&data->cursor);
	memset(address, 0, sizeof(*address));
	if (octets.length != (type == RG_DNS_A ? 4 : 16))
		return BROKEN;
	if (type == RG_DNS_A) {
		address->v4.sin_family = AF_INET;
		memcpy(&address->v4.sin_addr, octets.data, 4);
	} else {
		address->v6.sin6_family = AF_INET6;
		memcpy(&address->v6.sin6_addr, octets.data, 16);
	}
	return TAKEN;
}

static enum taken data_read(struct reading *data, enum rg_dns_type type, struct rg_dns_record *out)
{
	switch (type) {
	case RG_DNS_NAPTR:
		return naptr_read(data, &out->is.naptr);
	case RG_DNS_SRV:
		return srv_read(data, &out->is.srv);
	case RG_DNS_A:
	case RG_DNS_AAAA:
		return address_read(data, type, &out->is.address);
	case RG_DNS_CNAME:
	case RG_DNS_SOA:
		break;
	}
	return BROKEN;
}

static void ttl_lower(struct rg_dns_answer *answer, uint32_t ttl_s)
{
	if (ttl_s < answer->ttl_s)
		answer->ttl_s = ttl_s;
}

/* The alias of a name in the answer section. NONE: it is no alias. */
static enum taken alias_find(struct reading section, size_t count, char name[RG_DNS_NAME],
			     struct rg_dns_answer *answer)
{
	for (size_t i = 0; i < count; i++) {
		struct record record;
		struct name alias;
		record_read(&section, &record);
		if (section.cursor.failed)
			return BROKEN;
		if (record.type != RG_DNS_CNAME || record.class != CLASS_IN ||
		    !name_is(&record.owner, name))
			continue;
		name_read(&record.data, &alias);
		if (!data_is_whole(&record.data) || alias.unfit)
			return BROKEN;
		ttl_lower(answer, record.ttl_s);
		memcpy(name, alias.text, RG_DNS_NAME);
		return TAKEN;
	}
	return LEFT_OUT;
}

/* The records of that name and type; false: something cannot be read. */
static bool records_take(struct reading *section, size_t count, const char *name,
			 enum rg_dns_type type, struct rg_dns_answer *answer)
{
	for (size_t i = 0; i < count; i++) {
		struct record record;
		struct rg_dns_record taken;
		record_read(section, &record);
		if (section->cursor.failed)
			return false;
		if (record.type != (uint16_t)type || record.class != CLASS_IN ||
		    !name_is(&record.owner, name))
			continue;
		switch (data_read(&record.data, type, &taken)) {
		case TAKEN:
			ttl_lower(answer, record.ttl_s);
			if (answer->count < RG_DNS_RECORDS_MOST)
				answer->records[answer->count++] = taken;
			break;
		case LEFT_OUT:
			ttl_lower(answer, record.ttl_s);
			break;
		case BROKEN:
			return false;
		}
	}
	return true;
}

/* RFC 2308 §5: the lesser of the SOA's TTL and its MINIMUM. Where that cannot be read it is not
 * said. */
static uint32_t negative_ttl(struct reading *section, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct record record;
		struct name name;
		record_read(section, &record);
		if (section->cursor.failed)
			break;
		if (record.type != RG_DNS_SOA || record.class != CLASS_IN)
			continue;
		name_read(&record.data, &name);
		name_read(&record.data, &name);
		cursor_take(&record.data.cursor, 16); /* SERIAL, REFRESH, RETRY, EXPIRE */
		uint32_t minimum = cursor_u32(&record.data.cursor);
		if (!data_is_whole(&record.data))
			break;
		return minimum < record.ttl_s ? minimum : record.ttl_s;
	}
	return 0;
}

/* The header and the question; the answer's and the authority's counts. False: it answers something
 * else. */
static bool head_read(struct reading *reading, size_t *answers, size_t *authorities)
{
	struct rg_cursor *cursor = &reading->cursor;
	struct name question;
	cursor_u16(cursor); /* ID: whoever asked has compared it, and the question with it */
	uint16_t flags = cursor_u16(cursor);
	uint16_t questions = cursor_u16(cursor);
	*answers = cursor_u16(cursor);
	*authorities = cursor_u16(cursor);
	cursor_u16(cursor);
	unsigned rcode = flags & 0xf;
	if (!(flags & 0x8000) || questions != 1 ||
	    (rcode != RCODE_NONE && rcode != RCODE_NXDOMAIN) || *answers > RECORDS_READ ||
	    *authorities > RECORDS_READ)
		return false;
	name_read(reading, &question);
	cursor_u16(cursor);
	return cursor_u16(cursor) == CLASS_IN && !cursor->failed;
}

void dns_answer_read(struct rg_dns_answer *answer, struct rg_span message, const char *name,
		     enum rg_dns_type type)
{
	struct reading reading = {message, cursor_over(message)};
	char owner[RG_DNS_NAME];
	size_t answers, authorities, aliases = 0;
	enum taken alias;
	answer->outcome = RG_DNS_UNAVAILABLE;
	answer->count = 0;
	answer->ttl_s = UINT32_MAX;
	if (!dns_name_is_good(name) || !head_read(&reading, &answers, &authorities))
		return;
	for (size_t i = 0; i <= strlen(name); i++)
		owner[i] = lower((uint8_t)name[i]);
	while ((alias = alias_find(reading, answers, owner, answer)) == TAKEN)
		if (++aliases > ALIASES_MOST)
			return;
	if (alias == BROKEN || !records_take(&reading, answers, owner, type, answer)) {
		answer->count = 0;
		return;
	}
	answer->outcome = answer->count != 0 ? RG_DNS_FOUND : RG_DNS_NONE;
	if (answer->count == 0) {
		uint32_t ttl_s = negative_ttl(&reading, authorities);
		if (answer->ttl_s == UINT32_MAX || ttl_s != 0)
			answer->ttl_s = ttl_s;
	}
}

bool dns_name_is_good(const char *name)
{
	size_t length = strlen(name), label = 0;
	if (length == 0 || length >= RG_DNS_NAME)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (name[i] != '.' && !is_fit((uint8_t)name[i]))
			return false;
		label = name[i] == '.' ? 0 : label + 1;
		if (label > LABEL_MOST || (name[i] == '.' && (i == 0 || name[i - 1] == '.')))
			return false;
	}
	return label != 0;
}
