/* What an LDAP server says of a person, through libldap: an entry of attributes as the input has
 * them, whole or with an octet that is another. What was written into it is what is read of it; of
 * what is broken nothing is believed by halves. */
#include "fuzz.h"

#include <ldap.h>
#include <openldap.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../modules/dir_ldap/directory.h"
#include "core/text.h"
#include "directory/dn.h"

#define DN          "uid=jan,dc=x,dc=nl"
#define GROUP       "cn=ict,ou=groups,dc=x,dc=nl"
#define AROUND      11 /* octets before the entry's name */
#define ENTRY_MOST  16000
#define CERTIFICATE "a certificate"

static const char *const attributes[] = {
	"memberOf", "MEMBEROF;range=0-1499",  "primaryGroupID", "userAccountControl", "displayName",
	"ntHash",   "userCertificate;binary", "memberOfNot"};
static const char *const values[] = {
	GROUP,       "CN=ICT, OU=groups,DC=x,dc=NL",    "ict", "512", "16", "66064",
	CERTIFICATE, "00112233445566778899aabbccddeeff"};

static const char *const group_names[] = {GROUP};
static bool member[1];
static const struct rg_ldap_settings settings = {
	.lookup = {.groups = {.present = true, .attribute = "memberOf"},
		   .certificate_attribute = "userCertificate",
		   .nt_hash_attribute = "ntHash",
		   .account_control = "userAccountControl",
		   .name_attribute = "displayName"},
};

/* What the entry says, as it was written. */
struct said {
	bool member, certificate, same_certificate, locked;
	uint32_t primary;
	char canonical[256];
};

/* Tag and length; returns where the length goes. */
static size_t ber_open(struct rg_buffer *out, uint8_t tag)
{
	buffer_u8(out, tag);
	buffer_u8(out, 0x82);
	buffer_u16(out, 0);
	return out->length;
}

static void ber_close(struct rg_buffer *out, size_t from)
{
	if (out->failed)
		return;
	out->data[from - 2] = (uint8_t)((out->length - from) >> 8);
	out->data[from - 1] = (uint8_t)(out->length - from);
}

static void ber_octets(struct rg_buffer *out, struct rg_span octets)
{
	size_t from = ber_open(out, 0x04);
	buffer_put(out, octets);
	ber_close(out, from);
}

static uint32_t number_of(struct rg_span value)
{
	char text[16], *end;
	if (!text_from_span(text, sizeof(text), value) || text[0] < '0' || text[0] > '9')
		return 0;
	unsigned long number = strtoul(text, &end, 10);
	return *end || number > UINT32_MAX ? 0 : (uint32_t)number;
}

static void note(struct said *said, unsigned attribute, struct rg_span value)
{
	char text[2048];
	uint32_t number = number_of(value);
	switch (attribute) {
	case 0:
	case 1:
		said->member |= text_from_span(text, sizeof(text), value) &&
				(dn_equal(text, GROUP) || strcasecmp(text, GROUP) == 0);
		break;
	case 2:
		said->primary = number;
		break;
	case 3:
		said->locked |= (number & 16) != 0;
		break;
	case 4:
		text_from_span(said->canonical, sizeof(said->canonical), value);
		break;
	case 6:
		said->certificate = true;
		said->same_certificate |= span_equal(value, span_text(CERTIFICATE));
		break;
	}
}

/* An octet that says which attribute and how many values; each is one of ours, or any octets. */
static void attribute_put(struct rg_buffer *out, struct rg_cursor *cursor, struct said *said)
{
	uint8_t head = cursor_u8(cursor);
	size_t whole = ber_open(out, 0x30);
	ber_octets(out, span_text(attributes[head & 7]));
	size_t set = ber_open(out, 0x31);
	for (unsigned many = head >> 3 & 7; many > 0 && cursor_left(cursor) != 0; many--) {
		uint8_t which = cursor_u8(cursor);
		struct rg_span value =
			which & 0x80 ? piece_next(cursor) : span_text(values[which & 7]);
		ber_octets(out, value);
		note(said, head & 7, value);
	}
	ber_close(out, set);
	ber_close(out, whole);
}

/* LDAPMessage, SearchResultEntry (RFC 4511 §4.1.1, §4.5.2). */
static void entry_write(struct rg_buffer *out, struct rg_cursor *cursor, int id, struct said *said)
{
	size_t message = ber_open(out, 0x30);
	buffer_u8(out, 0x02);
	buffer_u8(out, 1);
	buffer_u8(out, (uint8_t)id);
	size_t entry = ber_open(out, 0x64);
	ber_octets(out, span_text(DN));
	size_t list = ber_open(out, 0x30);
	while (cursor_left(cursor) != 0 && out->length < ENTRY_MOST - 3000)
		attribute_put(out, cursor, said);
	ber_close(out, list);
	ber_close(out, entry);
	ber_close(out, message);
}

static void judge(const struct task *task, const struct said *said)
{
	MUST(task->dn && strcmp(task->dn, DN) == 0 && !task->unread && !task->match.unsure);
	MUST(member[0] == said->member && task->primary == said->primary);
	MUST(task->locked == said->locked && task->has_certificate == said->certificate);
	MUST(task->same_certificate == said->same_certificate);
	MUST(strcmp(task->question->canonical, said->canonical) == 0);
}

static void read_it(LDAP *handle, LDAPMessage *answer, const struct said *said, bool whole)
{
	struct rg_ldap_directory directory = {.settings = &settings};
	struct link link = {.handle = handle};
	struct rg_question question = {.certificate = span_text(CERTIFICATE),
				       .groups = group_names,
				       .group_count = 1,
				       .member = member};
	struct task task = {.question = &question, .link = &link};
	LDAPMessage *entry = ldap_first_entry(handle, answer);
	MUST(groups_prepare(&task.match, &question));
	if (entry) {
		entry_read_person(&directory, &task, entry);
		MUST(strlen(question.canonical) < sizeof(question.canonical));
	}
	MUST(!whole || entry);
	if (whole)
		judge(&task, said);
	free(task.dn);
	groups_free(&task.match);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory[ENTRY_MOST];
	static char *wanted[] = {"*", NULL};
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	struct said said = {0};
	struct timeval none = {0, 0};
	LDAP *handle = NULL;
	LDAPMessage *answer = NULL;
	int ends[2], id = 0, version = 3;
	uint8_t how = cursor_u8(&cursor);
	uint16_t where = cursor_u16(&cursor);
	bool turned = how & 1;
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
	MUST(ldap_init_fd(ends[1], LDAP_PROTO_TCP, NULL, &handle) == LDAP_SUCCESS);
	ldap_set_option(handle, LDAP_OPT_PROTOCOL_VERSION, &version);
	ldap_set_option(handle, LDAP_OPT_REFERRALS, LDAP_OPT_OFF); /* as connect.c has it */
	MUST(ldap_search_ext(handle, "", LDAP_SCOPE_BASE, NULL, wanted, 0, NULL, NULL, NULL, 0,
			     &id) == LDAP_SUCCESS);
	entry_write(&out, &cursor, id, &said);
	MUST(!out.failed);
	/* Where the message around the entry is broken, libldap 2.5.13 ends the connection, and
	 * loses the request. */
	if (turned)
		memory[AROUND + where % (out.length - AROUND)] ^= (uint8_t)(how | 2);
	MUST(write(ends[0], memory, out.length) == (ssize_t)out.length);
	int type = ldap_result(handle, id, LDAP_MSG_ONE, &none, &answer);
	MUST(turned || type == LDAP_RES_SEARCH_ENTRY);
	if (type > 0)
		read_it(handle, answer, &said, !turned);
	ldap_msgfree(answer);
	ldap_unbind_ext(handle, NULL, NULL);
	close(ends[0]);
	return 0;
}
