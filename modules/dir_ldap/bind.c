#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/text.h"
#include "directory.h"
#include "refusal.h"

static uint64_t most_ns(const struct rg_ldap_directory *directory)
{
	return (uint64_t)directory->settings->retry_s * RG_SECOND;
}

void bind_wait(struct rg_ldap_directory *directory, struct task *task)
{
	link_forget(task);
	task->stage = TASK_BIND_WAITING;
	TAILQ_INSERT_TAIL(&directory->bind_waiting, task, in_turn);
}

/* May be asked now: it is not known to be down, nor to leave binds unanswered. */
static bool server_fit(const struct rg_server *server, uint64_t now)
{
	return server->state != RG_DIRECTORY_DOWN && server->bind_retry_ns <= now;
}

/* The one that found the entry, unless it is ill and another one is well. */
static struct rg_server *server_choose(struct rg_ldap_directory *directory, const struct task *task,
				       uint64_t now)
{
	if (server_fit(task->server, now))
		return task->server;
	for (size_t i = 0; i < directory->settings->uris.count; i++)
		if (server_fit(&directory->servers[i], now))
			return &directory->servers[i];
	return task->server;
}

static void bind_failed(struct rg_ldap_directory *directory, struct rg_server *server,
			const char *why, uint64_t now)
{
	char shown[200];
	text_escape(shown, sizeof(shown), span_text(why));
	if (server->bind_failures == 0)
		log_limited(&directory->bind_log, RG_LOG_WARNING,
			    "directory of %s: %s takes no passwords: %s", directory->name,
			    server->uri, shown);
	pthread_mutex_lock(&directory->lock);
	server_bind_failed(server, why, now, most_ns(directory), arc4random());
	pthread_mutex_unlock(&directory->lock);
}

static void bind_well(struct rg_ldap_directory *directory, struct rg_server *server)
{
	if (server->bind_failures == 0)
		return;
	log_limited(&directory->bind_log, RG_LOG_INFO, "directory of %s: %s takes passwords again",
		    directory->name, server->uri);
	pthread_mutex_lock(&directory->lock);
	server_bind_well(server);
	pthread_mutex_unlock(&directory->lock);
}

/* Of a task that waits for a bind, at that server: the next one may be asked, once each, since a
 * wrong password is counted wherever it arrives. */
static void bind_elsewhere(struct rg_ldap_directory *directory, struct task *task, const char *why,
			   uint64_t now)
{
	struct rg_server *server = task->server;
	size_t count = directory->settings->uris.count;
	struct rg_server *next =
		&directory->servers[(size_t)(server - directory->servers + 1) % count];
	if (++task->bind_servers < count && server_fit(next, now))
		task->server = next;
	else
		task_answer(directory, task, RG_OUTCOME_UNAVAILABLE, "%s: %s", server->uri, why);
}

/* Ends the connection; the task, if any, waits again. */
static struct task *bind_drop(struct rg_ldap_directory *directory, struct link *link)
{
	struct task *task = link->bound;
	if (task) {
		link_forget(task);
		task->stage = TASK_BIND_WAITING;
		TAILQ_INSERT_HEAD(&directory->bind_waiting, task, in_turn);
	}
	link->binding = false;
	link_close(directory, link);
	return task;
}

static void bind_lost(struct rg_ldap_directory *directory, struct link *link, uint64_t now)
{
	static const char why[] = "it closed the connection";
	struct rg_server *server = link->server;
	bool idle = !link->binding, used = link->bound_before;
	struct task *task = bind_drop(directory, link);
	/* Servers close what has been idle for long, or was bound on once: that is no fault. */
	if (idle || (used && (!task || ++task->tries < TRIES_MOST)))
		return;
	bind_failed(directory, server, why, now);
	if (task)
		bind_elsewhere(directory, task, why, now);
}

static void waiting_elsewhere(struct rg_ldap_directory *directory, struct rg_server *server,
			      const char *why, uint64_t now)
{
	struct task *next, *task = TAILQ_FIRST(&directory->bind_waiting);
	for (; task; task = next) {
		next = TAILQ_NEXT(task, in_turn);
		if (task->server == server)
			bind_elsewhere(directory, task, why, now);
	}
}

void bind_late(struct rg_ldap_directory *directory, struct rg_server *server, uint64_t now)
{
	char why[80];
	snprintf(why, sizeof(why), "no connection for a bind within %d ms",
		 (int)directory->settings->timeout_ms);
	bind_failed(directory, server, why, now);
	waiting_elsewhere(directory, server, why, now);
}

void bind_adopt(struct rg_ldap_directory *directory, struct job *job, uint64_t now)
{
	struct link *link = job->link;
	link->job = NULL;
	link->state = LINK_EMPTY;
	if (job->late) /* it has been counted when it was cut */
		return;
	if (job->result == RG_CONNECTED) {
		link_open(link, job, now);
		return;
	}
	bind_failed(directory, job->server, job->connect.why, now);
	waiting_elsewhere(directory, job->server, job->connect.why, now);
}

void bind_expire(struct rg_ldap_directory *directory, uint64_t now)
{
	char why[80];
	snprintf(why, sizeof(why), "no answer to a bind within %d ms",
		 (int)directory->settings->timeout_ms);
	for (size_t i = directory->search_links; i < directory->link_count; i++) {
		struct link *link = &directory->links[i];
		struct rg_server *server = link->server;
		if (!link->handle || !link->binding || link->bind_due_ns > now)
			continue;
		struct task *task = bind_drop(directory, link);
		bind_failed(directory, server, why, now);
		if (task)
			bind_elsewhere(directory, task, why, now);
	}
}

/* False: it cannot be sent there. */
static bool bind_send(struct rg_ldap_directory *directory, struct link *link, struct task *task,
		      uint64_t now)
{
	struct rg_span given = task->question->password;
	struct berval password = {.bv_len = given.length, .bv_val = (char *)given.data};
	/* Asks what draft-behera-ldap-password-policy §6.1 has to say; servers without it ignore
	 * it. */
	LDAPControl policy = {.ldctl_oid = LDAP_CONTROL_PASSWORDPOLICYREQUEST};
	LDAPControl *controls[] = {&policy, NULL};
	int code = LDAP_SUCCESS;
	int sent = ldap_sasl_bind(link->handle, task->dn, LDAP_SASL_SIMPLE, &password, controls,
				  NULL, &link->bind_id);
	ldap_get_option(link->handle, LDAP_OPT_RESULT_CODE, &code);
	link->writing = code == LDAP_BUSY;
	if (sent != LDAP_SUCCESS)
		return false;
	TAILQ_REMOVE(&directory->bind_waiting, task, in_turn);
	task->stage = TASK_BINDING;
	task->link = link;
	link->tasks++;
	link->bound = task;
	link->binding = true;
	link->bind_due_ns = now + (uint64_t)directory->settings->timeout_ms * RG_MS;
	return true;
}

/* A connection to that server that nobody is bound on at present. */
static struct link *link_idle(struct rg_ldap_directory *directory, const struct rg_server *server)
{
	for (size_t i = directory->search_links; i < directory->link_count; i++) {
		struct link *link = &directory->links[i];
		if (link->state == LINK_UP && !link->binding && link->server == server)
			return link;
	}
	return NULL;
}

/* A place for a connection: an empty one, or that of an idle connection to another server. */
static struct link *link_place(struct rg_ldap_directory *directory, const struct rg_server *server)
{
	for (size_t i = directory->search_links; i < directory->link_count; i++)
		if (directory->links[i].state == LINK_EMPTY)
			return &directory->links[i];
	for (size_t i = directory->search_links; i < directory->link_count; i++) {
		struct link *link = &directory->links[i];
		if (link->state == LINK_UP && !link->binding && link->server != server) {
			link_close(directory, link);
			return link;
		}
	}
	return NULL;
}

static void count_coming(struct rg_ldap_directory *directory)
{
	for (size_t i = 0; i < directory->settings->uris.count; i++)
		directory->servers[i].bind_coming = 0;
	for (size_t i = directory->search_links; i < directory->link_count; i++)
		if (directory->links[i].state == LINK_CONNECTING)
			directory->links[i].server->bind_coming++;
}

/* Binds, or has a connection made on which to bind. */
static void bind_place(struct rg_ldap_directory *directory, struct task *task, uint64_t now)
{
	struct rg_server *server = task->server = server_choose(directory, task, now);
	struct link *link = link_idle(directory, server);
	if (link && bind_send(directory, link, task, now))
		return;
	if (link) {
		bind_drop(directory, link);
		if (++task->tries >= TRIES_MOST)
			bind_elsewhere(directory, task, "no bind can be sent", now);
		return;
	}
	if (server->bind_coming > 0) {
		server->bind_coming--;
		return;
	}
	link = link_place(directory, server);
	if (link && !job_connect(directory, link, server, now))
		task_answer(directory, task, RG_OUTCOME_UNAVAILABLE, "no thread to connect in");
}

void bind_next(struct rg_ldap_directory *directory, uint64_t now)
{
	struct task *next, *task = TAILQ_FIRST(&directory->bind_waiting);
	count_coming(directory);
	for (; task; task = next) {
		next = TAILQ_NEXT(task, in_turn);
		if (atomic_load_explicit(&task->question->cancelled, memory_order_relaxed))
			task_answer(directory, task, RG_OUTCOME_UNAVAILABLE, "cancelled");
		else
			bind_place(directory, task, now);
	}
}

static void read_controls(LDAP *handle, LDAPControl **controls, struct rg_bind_answer *answer)
{
	LDAPControl *policy =
		ldap_control_find(LDAP_CONTROL_PASSWORDPOLICYRESPONSE, controls, NULL);
	ber_int_t expires, grace;
	LDAPPasswordPolicyError error = PP_noError;
	if (policy && ldap_parse_passwordpolicy_control(handle, policy, &expires, &grace, &error) ==
			      LDAP_SUCCESS)
		answer->policy = (int)error;
	answer->expired = ldap_control_find(LDAP_CONTROL_X_PASSWORD_EXPIRED, controls, NULL);
}

/* What the server said, as an outcome; detail says it in words. */
static enum rg_outcome read_answer(LDAP *handle, LDAPMessage *message, char detail[160])
{
	struct rg_bind_answer answer = {.code = LDAP_OTHER, .policy = PP_noError};
	LDAPControl **controls = NULL;
	const char *why = "";
	char *text = NULL;
	int code =
		ldap_parse_result(handle, message, &answer.code, NULL, &text, NULL, &controls, 0);
	if (code != LDAP_SUCCESS)
		answer.code = code;
	answer.text = text ? text : "";
	read_controls(handle, controls, &answer);
	enum rg_outcome outcome = refusal_read(&answer, &why);
	if (outcome == RG_OUTCOME_UNAVAILABLE)
		snprintf(detail, 160, "bind: %s%s%.100s", ldap_err2string(answer.code),
			 *answer.text ? ": " : "", answer.text);
	else
		snprintf(detail, 160, "%s", why);
	ldap_controls_free(controls);
	ldap_memfree(text);
	return outcome;
}

static void bind_answered(struct rg_ldap_directory *directory, struct link *link,
			  LDAPMessage *message, uint64_t now)
{
	char detail[160];
	struct task *task = link->bound;
	struct rg_server *server = link->server;
	enum rg_outcome outcome = read_answer(link->handle, message, detail);
	link->binding = false;
	link->bound_before = true;
	if (outcome == RG_OUTCOME_UNAVAILABLE) {
		bind_drop(directory, link);
		bind_failed(directory, server, detail, now);
		if (task)
			bind_elsewhere(directory, task, detail, now);
		return;
	}
	bind_well(directory, server);
	if (task)
		task_answer(directory, task, outcome, "%s%s%s", task->dn, *detail ? ": " : "",
			    detail);
}

void bind_receive(struct rg_ldap_directory *directory, struct link *link, uint64_t now)
{
	struct timeval none = {0, 0};
	LDAPMessage *message = NULL;
	int type = ldap_result(link->handle, LDAP_RES_ANY, LDAP_MSG_ALL, &none, &message);
	if (type == 0) {
		link->writing = link_still_writing(link);
		return;
	}
	/* Unsolicited: a notice of disconnection (RFC 4511 §4.4.1). */
	if (type == LDAP_RES_BIND && link->binding && ldap_msgid(message) == link->bind_id)
		bind_answered(directory, link, message, now);
	else
		bind_lost(directory, link, now);
	ldap_msgfree(message);
}

uint64_t bind_due(const struct rg_ldap_directory *directory)
{
	uint64_t due = UINT64_MAX;
	for (size_t i = directory->search_links; i < directory->link_count; i++) {
		const struct link *link = &directory->links[i];
		if (link->handle && link->binding && link->bind_due_ns < due)
			due = link->bind_due_ns;
	}
	return due;
}
