#include <poll.h>
#include <stdlib.h>

#include "core/clock.h"
#include "directory.h"

void link_open(struct link *link, struct job *job, uint64_t now)
{
	link->state = LINK_UP;
	link->job = NULL;
	link->handle = job->connect.handle;
	link->sockbuf = job->connect.sockbuf;
	link->gather = job->connect.gather;
	link->fd = job->connect.fd;
	link->in_chain = job->connect.in_chain;
	link->writing = link->broken = link->binding = link->bound_before = false;
	link->tasks = 0;
	link->up_ns = now;
	TAILQ_INIT(&link->searches);
	job->connect.handle = NULL;
}

static void search_end(struct link *link, struct search *search)
{
	TAILQ_REMOVE(&link->searches, search, next);
	free(search);
}

void link_close(struct rg_ldap_directory *directory, struct link *link)
{
	while (!TAILQ_EMPTY(&link->searches)) {
		struct search *search = TAILQ_FIRST(&link->searches);
		if (search->task)
			task_again(directory, search->task);
		search_end(link, search);
	}
	ldap_unbind_ext(link->handle, NULL, NULL);
	link->handle = NULL;
	link->state = LINK_EMPTY;
}

int link_search(struct rg_ldap_directory *directory, struct link *link, struct search *search,
		const char *base, int scope, const char *filter, char **attributes, int size_most)
{
	int64_t ms = directory->settings->timeout_ms;
	struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	int code = LDAP_SUCCESS;
	int sent = ldap_search_ext(link->handle, base, scope, filter, attributes, 0, NULL, NULL,
				   &limit, size_most, &search->id);
	ldap_get_option(link->handle, LDAP_OPT_RESULT_CODE, &code);
	/* Half a request is in its buffer: it goes on once the socket takes more. */
	link->writing = code == LDAP_BUSY;
	link->broken |= code == LDAP_SERVER_DOWN;
	if (sent == LDAP_SUCCESS) {
		search->due_ns = clock_now() + (uint64_t)ms * RG_MS;
		TAILQ_INSERT_TAIL(&link->searches, search, next);
	}
	return sent;
}

void link_flush(struct link *link)
{
	switch (gather_send(link->gather)) {
	case RG_GATHERED_SENT:
		break;
	case RG_GATHERED_FULL:
		link->writing = true;
		break;
	case RG_GATHERED_LOST:
		link->broken = true;
		break;
	}
}

void link_forget(struct task *task)
{
	struct link *link = task->link;
	if (!link)
		return;
	struct search *search = TAILQ_FIRST(&link->searches);
	for (; search; search = TAILQ_NEXT(search, next))
		if (search->task == task)
			search->task = NULL;
	if (link->bound == task)
		link->bound = NULL;
	link->tasks--;
	task->link = NULL;
	task->open_searches = 0;
}

static struct search *search_find(struct link *link, int id)
{
	struct search *search = TAILQ_FIRST(&link->searches);
	while (search && search->id != id)
		search = TAILQ_NEXT(search, next);
	return search;
}

/* False: the server is leaving. */
static bool handle_result(struct rg_ldap_directory *directory, struct link *link,
			  struct search *search, LDAPMessage *message)
{
	int code = LDAP_OTHER;
	char *text = NULL;
	int parsed = ldap_parse_result(link->handle, message, &code, NULL, &text, NULL, NULL, 0);
	bool leaving = parsed != LDAP_SUCCESS || code == LDAP_BUSY || code == LDAP_UNAVAILABLE;
	if (!leaving) {
		link->server->failures = 0;
		/* Off the list first: an answered task forgets its searches. */
		TAILQ_REMOVE(&link->searches, search, next);
		if (search->task)
			task_searched(directory, search, code, text ? text : "");
		free(search);
	}
	ldap_memfree(text);
	return !leaving;
}

static bool handle_message(struct rg_ldap_directory *directory, struct link *link,
			   LDAPMessage *message)
{
	struct search *search = search_find(link, ldap_msgid(message));
	int type = ldap_msgtype(message);
	if (!search)
		/* Unsolicited: a notice of disconnection (RFC 4511 §4.4.1), or noise. */
		return ldap_msgid(message) != LDAP_RES_UNSOLICITED;
	if (type == LDAP_RES_SEARCH_RESULT)
		return handle_result(directory, link, search, message);
	/* A continuation reference is not followed. */
	if (type == LDAP_RES_SEARCH_ENTRY && search->task)
		task_entry(directory, search, message);
	return true;
}

bool link_still_writing(const struct link *link)
{
	struct pollfd fd = {.fd = link->fd, .events = POLLOUT};
	return link->writing && poll(&fd, 1, 0) == 0;
}

/* Nothing is left in liblber, or in TLS below it: the socket shows what comes next. */
static bool link_read_out(const struct link *link)
{
	return ber_sockbuf_ctrl(link->sockbuf, LBER_SB_OPT_DATA_READY, NULL) == 0;
}

bool link_receive(struct rg_ldap_directory *directory, struct link *link)
{
	struct timeval none = {0, 0};
	do {
		LDAPMessage *message = NULL;
		int type = ldap_result(link->handle, LDAP_RES_ANY, LDAP_MSG_ONE, &none, &message);
		if (type < 0)
			return false;
		if (type == 0)
			break;
		bool good = handle_message(directory, link, message);
		ldap_msgfree(message);
		if (!good)
			return false;
	} while (!link_read_out(link));
	link->writing = link_still_writing(link);
	return true;
}
