/* An answer of a resolver. What is taken of it is held against glibc's reading of the same octets.
 * Two octets come first: which type was asked for, and of which name. */
#include "fuzz.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <strings.h>

#include "discover/message.h"

static const enum rg_dns_type types[] = {RG_DNS_A, RG_DNS_AAAA, RG_DNS_SRV, RG_DNS_NAPTR};
static const char *const names[] = {"example.nl", "_radsec._tcp.example.nl", "a.example.nl", "nl"};

/* A name in the message as glibc has it; "" where there is none. */
static void name_at(const ns_msg *message, const uint8_t *at, char out[NS_MAXDNAME])
{
	if (ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message), at, out, NS_MAXDNAME) <
	    0)
		out[0] = '\0';
}

static bool same_data(const ns_msg *message, const ns_rr *theirs, enum rg_dns_type type,
		      const struct rg_dns_record *ours)
{
	char name[NS_MAXDNAME];
	const uint8_t *data = ns_rr_rdata(*theirs);
	size_t length = ns_rr_rdlen(*theirs);
	struct rg_cursor cursor = cursor_over(span_of(data, length));
	if (type == RG_DNS_A)
		return length == 4 && memcmp(&ours->is.address.v4.sin_addr, data, 4) == 0;
	if (type == RG_DNS_AAAA)
		return length == 16 && memcmp(&ours->is.address.v6.sin6_addr, data, 16) == 0;
	if (type == RG_DNS_SRV) {
		const struct rg_dns_srv *srv = &ours->is.srv;
		bool same = cursor_u16(&cursor) == srv->priority &&
			    cursor_u16(&cursor) == srv->weight && cursor_u16(&cursor) == srv->port;
		name_at(message, cursor.at, name);
		return same && strcasecmp(name, srv->target) == 0;
	}
	const struct rg_dns_naptr *naptr = &ours->is.naptr;
	bool same = cursor_u16(&cursor) == naptr->order && cursor_u16(&cursor) == naptr->preference;
	piece_next(&cursor); /* flags */
	struct rg_span service = piece_next(&cursor);
	piece_next(&cursor); /* regular expression */
	name_at(message, cursor.at, name);
	return same && service.length == strlen(naptr->service) &&
	       strncasecmp((const char *)service.data, naptr->service, service.length) == 0 &&
	       strcasecmp(name, naptr->replacement) == 0;
}

/* Each record that we took stands in the answer section. */
static void compare(const ns_msg *message, enum rg_dns_type type,
		    const struct rg_dns_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++) {
		ns_rr theirs;
		bool found = false;
		for (int j = 0; j < ns_msg_count(*message, ns_s_an) && !found; j++) {
			ns_msg copy = *message;
			found = ns_parserr(&copy, ns_s_an, j, &theirs) == 0 &&
				(int)ns_rr_type(theirs) == (int)type &&
				ns_rr_class(theirs) == ns_c_in &&
				same_data(message, &theirs, type, &answer->records[i]);
		}
		MUST(found);
	}
}

static void judge_name(const char *name)
{
	MUST(dns_name_is_good(name));
	for (; *name; name++)
		MUST(*name < 'A' || *name > 'Z');
}

static void judge(const struct rg_dns_answer *answer, enum rg_dns_type type)
{
	MUST(answer->count <= RG_DNS_RECORDS_MOST);
	MUST((answer->outcome == RG_DNS_FOUND) == (answer->count != 0));
	MUST(answer->outcome == RG_DNS_UNAVAILABLE || answer->ttl_s <= INT32_MAX);
	for (size_t i = 0; i < answer->count; i++) {
		const struct rg_dns_record *record = &answer->records[i];
		if (type == RG_DNS_SRV) {
			judge_name(record->is.srv.target);
			MUST(record->is.srv.port != 0);
		} else if (type == RG_DNS_NAPTR) {
			judge_name(record->is.naptr.replacement);
			MUST(record->is.naptr.flag < 'A' || record->is.naptr.flag > 'Z');
		} else {
			MUST(record->is.address.any.sa_family ==
			     (type == RG_DNS_A ? AF_INET : AF_INET6));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	enum rg_dns_type type = types[cursor_u8(&cursor) % 4];
	const char *name = names[cursor_u8(&cursor) % 4];
	struct rg_span message = cursor_rest(&cursor);
	struct rg_dns_answer answer;
	ns_msg theirs;
	dns_answer_read(&answer, message, name, type);
	judge(&answer, type);
	if (answer.count != 0 && ns_initparse(message.data, (int)message.length, &theirs) == 0)
		compare(&theirs, type, &answer);
	return 0;
}
