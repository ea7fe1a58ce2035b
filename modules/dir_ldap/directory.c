#include "directory.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/sandbox.h"
#include "core/thread.h"
#include "dir_ldap.h"
#include "directory/filter.h"

static void wake(struct rg_ldap_directory *directory)
{
	uint64_t one = 1;
	ssize_t written = write(directory->wake, &one, sizeof(one));
	(void)written; /* full means that it will wake anyway */
}

bool directory_ask_ldap(void *opaque, struct rg_question *question)
{
	struct rg_ldap_directory *directory = opaque;
	struct task *task = task_new(question);
	if (!task)
		return false;
	pthread_mutex_lock(&directory->lock);
	bool room = directory->open_tasks < (size_t)directory->settings->queue;
	bool first = TAILQ_EMPTY(&directory->inbox);
	if (room) {
		directory->open_tasks++;
		TAILQ_INSERT_TAIL(&directory->inbox, task, in_turn);
	}
	pthread_mutex_unlock(&directory->lock);
	if (!room)
		free(task);
	else if (first)
		wake(directory);
	return room;
}

static void list_task(struct rg_ldap_directory *directory, struct task *task)
{
	uint64_t deadline = task->question->deadline_ns;
	struct task *before = TAILQ_LAST(&directory->tasks, task_list);
	while (before && before->question->deadline_ns > deadline)
		before = TAILQ_PREV(before, task_list, by_deadline);
	if (before)
		TAILQ_INSERT_AFTER(&directory->tasks, before, task, by_deadline);
	else
		TAILQ_INSERT_HEAD(&directory->tasks, task, by_deadline);
}

static void take_inbox(struct rg_ldap_directory *directory)
{
	struct task_list taken;
	TAILQ_INIT(&taken);
	pthread_mutex_lock(&directory->lock);
	TAILQ_CONCAT(&taken, &directory->inbox, in_turn);
	pthread_mutex_unlock(&directory->lock);
	while (!TAILQ_EMPTY(&taken)) {
		struct task *task = TAILQ_FIRST(&taken);
		TAILQ_REMOVE(&taken, task, in_turn);
		list_task(directory, task);
		task->stage = TASK_WAITING;
		TAILQ_INSERT_TAIL(&directory->waiting, task, in_turn);
		struct rg_question *question = task->question;
		/* RFC 4513 §5.1.2: a bind without password would succeed, whoever asks. */
		if (question->kind == RG_ASK_PASSWORD && question->password.length == 0)
			task_answer(directory, task, RG_OUTCOME_WRONG_SECRET, "no password given");
	}
}

/* Until something comes or is due. */
static void wait_for_events(struct rg_ldap_directory *directory, struct pollfd *fds)
{
	uint64_t now = clock_now(), due = plan_due(directory);
	int timeout = -1;
	if (due != UINT64_MAX) {
		uint64_t ms = due <= now ? 0 : (due - now + RG_MS - 1) / RG_MS;
		timeout = ms > INT_MAX ? INT_MAX : (int)ms;
	}
	fds[0] = (struct pollfd){.fd = directory->wake, .events = POLLIN};
	for (size_t i = 0; i < directory->link_count; i++) {
		struct link *link = &directory->links[i];
		fds[i + 1] = (struct pollfd){
			.fd = link->handle && !link->broken ? link->fd : -1,
			.events = (short)(link->writing ? POLLIN | POLLOUT : POLLIN),
		};
	}
	if (poll(fds, (nfds_t)directory->link_count + 1, timeout) < 0)
		for (size_t i = 0; i <= directory->link_count; i++)
			fds[i].revents = 0;
	uint64_t count;
	if (fds[0].revents && read(directory->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
}

static void receive_all(struct rg_ldap_directory *directory, const struct pollfd *fds)
{
	for (size_t i = 0; i < directory->link_count; i++) {
		struct link *link = &directory->links[i];
		/* A server found down closes its other links, which may be further on in this list.
		 */
		if (!fds[i + 1].revents || !link->handle)
			continue;
		if (link->for_people)
			bind_receive(directory, link, clock_now());
		else if (!link_receive(directory, link))
			plan_lost(directory, link, clock_now());
	}
}

/* One that has finished, or else one that will. */
static struct job *job_next(struct rg_ldap_directory *directory)
{
	pthread_mutex_lock(&directory->lock);
	struct job *job = TAILQ_FIRST(&directory->finished);
	if (!job)
		job = TAILQ_FIRST(&directory->jobs);
	pthread_mutex_unlock(&directory->lock);
	return job;
}

static void finish(struct rg_ldap_directory *directory)
{
	take_inbox(directory);
	while (!TAILQ_EMPTY(&directory->tasks))
		task_answer(directory, TAILQ_FIRST(&directory->tasks), RG_OUTCOME_UNAVAILABLE,
			    "the directory is being closed");
	pthread_mutex_lock(&directory->lock);
	struct job *open = TAILQ_FIRST(&directory->jobs);
	for (; open; open = TAILQ_NEXT(open, next))
		job_cut(open);
	pthread_mutex_unlock(&directory->lock);
	for (struct job *job = job_next(directory); job; job = job_next(directory)) {
		pthread_join(job->thread, NULL); /* which puts it among the finished */
		pthread_mutex_lock(&directory->lock);
		TAILQ_REMOVE(&directory->finished, job, next);
		pthread_mutex_unlock(&directory->lock);
		job_free(&job);
	}
	for (size_t i = 0; i < directory->link_count; i++)
		if (directory->links[i].handle)
			link_close(directory, &directory->links[i]);
}

static void *run(void *opaque)
{
	struct rg_ldap_directory *directory = opaque;
	struct pollfd fds[RG_LDAP_CONNECTIONS_MOST * 2 + 2];
	/* Whoever asks is in the middle of other people's handshakes: interrupted for each question and each answer, both
	 * would be switched to and fro more than they work. */
	thread_patient();
	sandbox_enter(RG_ROLE_DIRECTORY);
	while (!atomic_load(&directory->closing)) {
		uint64_t now = clock_now();
		take_inbox(directory);
		plan_adopt(directory, now);
		plan_expire(directory, now);
		plan_next(directory, now);
		wait_for_events(directory, fds);
		receive_all(directory, fds);
	}
	finish(directory);
	return NULL;
}

static void directory_free(struct rg_ldap_directory *directory)
{
	if (directory->wake >= 0)
		close(directory->wake);
	pthread_mutex_destroy(&directory->lock);
	nt_digests_free(&directory->digests);
	free(directory->nested_filter);
	free(directory->servers);
	free(directory->links);
	free(directory->name);
	free(directory);
}

static bool directory_fill(struct rg_ldap_directory *directory, const char *name)
{
	const struct rg_ldap_settings *settings = directory->settings;
	const char *groups = lookup_groups(&settings->lookup)->filter;
	if (settings->lookup.nt_hash_attribute)
		directory->digests = nt_digests_new();
	directory->name = strdup(name);
	directory->search_links = (size_t)settings->connections + 1;
	directory->link_count = directory->search_links + (size_t)settings->connections;
	directory->links = calloc(directory->link_count, sizeof(*directory->links));
	directory->servers = calloc(settings->uris.count, sizeof(*directory->servers));
	directory->nested_filter = groups ? filter_nested(groups) : NULL;
	directory->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!directory->name || !directory->links || !directory->servers || directory->wake < 0 ||
	    (groups && !directory->nested_filter))
		return false;
	for (size_t i = directory->search_links; i < directory->link_count; i++)
		directory->links[i].for_people = true;
	for (size_t i = 0; i < settings->uris.count; i++) {
		directory->servers[i].uri = settings->uris.items[i];
		directory->servers[i].since = (int64_t)(clock_wall() / RG_SECOND);
	}
	return true;
}

void *directory_open_ldap(const void *settings, const char *name)
{
	struct rg_ldap_directory *directory = connection_prepare() ? calloc(1, sizeof(*directory)) : NULL;
	if (!directory)
		return NULL;
	directory->settings = settings;
	directory->wake = -1;
	pthread_mutex_init(&directory->lock, NULL);
	TAILQ_INIT(&directory->inbox);
	TAILQ_INIT(&directory->finished);
	TAILQ_INIT(&directory->tasks);
	TAILQ_INIT(&directory->waiting);
	TAILQ_INIT(&directory->bind_waiting);
	TAILQ_INIT(&directory->jobs);
	if (directory_fill(directory, name) && thread_begin(&directory->thread, run, directory))
		return directory;
	int error = errno;
	directory_free(directory);
	errno = error;
	return NULL;
}

void directory_close_ldap(void *opaque)
{
	struct rg_ldap_directory *directory = opaque;
	atomic_store(&directory->closing, true);
	wake(directory);
	pthread_join(directory->thread, NULL);
	directory_free(directory);
}

void directory_status_ldap(void *opaque,
			   void (*each)(void *context, const struct rg_directory_server *),
			   void *context)
{
	struct rg_ldap_directory *directory = opaque;
	char why[sizeof(directory->servers->why)];
	for (size_t i = 0; i < directory->settings->uris.count; i++) {
		pthread_mutex_lock(&directory->lock);
		const struct rg_server *from = &directory->servers[i];
		struct rg_directory_server server = {from->uri, from->state, why, from->since};
		memcpy(why, from->why[0] ? from->why : from->bind_why, sizeof(why));
		pthread_mutex_unlock(&directory->lock);
		each(context, &server);
	}
}
