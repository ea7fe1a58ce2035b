#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "directory.h"

/* Questions wait for a retry that is so near; else they are answered at once. */
#define RETRY_NEAR_NS (500 * RG_MS)
/* A connection that was closed sooner, unasked, is a fault of the server. */
#define SHORT_LIFE_NS RG_SECOND

static int64_t wall_seconds(void)
{
	return (int64_t)(clock_wall() / RG_SECOND);
}

static struct rg_server *server_at(struct rg_ldap_directory *directory, size_t index)
{
	return &directory->servers[index];
}

static void mark_up(struct rg_ldap_directory *directory, struct rg_server *server)
{
	bool changed = server->state != RG_DIRECTORY_UP;
	pthread_mutex_lock(&directory->lock);
	server_up(server, wall_seconds());
	pthread_mutex_unlock(&directory->lock);
	if (changed)
		log_write(RG_LOG_INFO, "directory of %s: %s is up", directory->name, server->uri);
}

/* Closes all its connections too; their questions wait for another. */
static void mark_down(struct rg_ldap_directory *directory, struct rg_server *server,
		      const char *why, uint64_t now)
{
	bool changed = server->state != RG_DIRECTORY_DOWN;
	uint64_t most = (uint64_t)directory->settings->retry_s * RG_SECOND;
	char shown[200];
	text_escape(shown, sizeof(shown), span_text(why));
	pthread_mutex_lock(&directory->lock);
	server_down(server, why, now, wall_seconds(), most, arc4random());
	pthread_mutex_unlock(&directory->lock);
	if (changed)
		log_write(RG_LOG_WARNING, "directory of %s: %s is down: %s", directory->name,
			  server->uri, shown);
	for (size_t i = 0; i < directory->search_links; i++) {
		struct link *link = &directory->links[i];
		if (link->handle && link->server == server)
			link_close(directory, link);
	}
}

void plan_lost(struct rg_ldap_directory *directory, struct link *link, uint64_t now)
{
	/* Servers close what has been idle for long; that is no fault. */
	if (TAILQ_EMPTY(&link->searches) && !link->broken && now - link->up_ns > SHORT_LIFE_NS)
		link_close(directory, link);
	else
		mark_down(directory, link->server, "it closed the connection", now);
}

/* Connections to servers that come after this one finish what they have and go. */
static void drain_later(struct rg_ldap_directory *directory, const struct rg_server *server)
{
	for (size_t i = 0; i < directory->search_links; i++) {
		struct link *link = &directory->links[i];
		if (link->state == LINK_UP && link->server > server)
			link->state = LINK_DRAINING;
	}
}

static void adopt_link(struct rg_ldap_directory *directory, struct job *job, uint64_t now)
{
	struct link *link = job->link;
	job->server->attempting = false;
	link->job = NULL;
	link->state = LINK_EMPTY;
	if (job->late) {
		/* It has been counted as a failure when it was cut. */
		return;
	}
	if (job->result == RG_CONNECTED) {
		link_open(link, job, now);
		mark_up(directory, job->server);
		drain_later(directory, job->server);
	} else {
		mark_down(directory, job->server, job->connect.why, now);
	}
}

void plan_adopt(struct rg_ldap_directory *directory, uint64_t now)
{
	for (;;) {
		pthread_mutex_lock(&directory->lock);
		struct job *job = TAILQ_FIRST(&directory->finished);
		if (job)
			TAILQ_REMOVE(&directory->finished, job, next);
		pthread_mutex_unlock(&directory->lock);
		if (!job)
			return;
		pthread_join(job->thread, NULL);
		if (job->link->for_people)
			bind_adopt(directory, job, now);
		else
			adopt_link(directory, job, now);
		job_free(&job);
	}
}

static void expire_tasks(struct rg_ldap_directory *directory, uint64_t now)
{
	struct task *task = TAILQ_FIRST(&directory->tasks);
	while (task && task->question->deadline_ns <= now) {
		if (task->server)
			task_answer(directory, task, RG_OUTCOME_UNAVAILABLE,
				    "%s: no answer in time", task->server->uri);
		else
			task_answer(directory, task, RG_OUTCOME_UNAVAILABLE,
				    "no connection to %s in time", server_at(directory, 0)->uri);
		task = TAILQ_FIRST(&directory->tasks);
	}
}

static void expire_searches(struct rg_ldap_directory *directory, uint64_t now)
{
	for (size_t i = 0; i < directory->search_links; i++) {
		struct link *link = &directory->links[i];
		struct search *search = link->handle ? TAILQ_FIRST(&link->searches) : NULL;
		char why[80];
		if (link->handle && link->broken) {
			plan_lost(directory, link, now);
		} else if (search && search->due_ns <= now) {
			snprintf(why, sizeof(why), "no answer to a search within %d ms",
				 (int)directory->settings->timeout_ms);
			mark_down(directory, link->server, why, now);
		}
	}
}

/* Cuts one attempt that took too long; NULL: none is left. */
static struct job *cut_next(struct rg_ldap_directory *directory, uint64_t now)
{
	pthread_mutex_lock(&directory->lock);
	struct job *job = TAILQ_FIRST(&directory->jobs);
	while (job && (job->late || job->late_ns > now))
		job = TAILQ_NEXT(job, next);
	if (job)
		job_cut(job);
	pthread_mutex_unlock(&directory->lock);
	return job; /* it may finish now, but is freed on this thread only */
}

static void expire_jobs(struct rg_ldap_directory *directory, uint64_t now)
{
	char why[80];
	snprintf(why, sizeof(why), "no connection within %d ms",
		 (int)directory->settings->timeout_ms);
	for (struct job *job = cut_next(directory, now); job; job = cut_next(directory, now))
		if (job->link->for_people)
			bind_late(directory, job->server, now);
		else
			mark_down(directory, job->server, why, now);
}

void plan_expire(struct rg_ldap_directory *directory, uint64_t now)
{
	expire_tasks(directory, now);
	expire_searches(directory, now);
	expire_jobs(directory, now);
	bind_expire(directory, now);
	for (size_t i = 0; i < directory->search_links; i++)
		if (directory->links[i].state == LINK_DRAINING &&
		    TAILQ_EMPTY(&directory->links[i].searches))
			link_close(directory, &directory->links[i]);
}

/* The first link that is not busy, so that what is asked together leaves together, else the one with the fewest questions;
 * or NULL. All of them, full and busy ones too, in *up. */
static struct link *link_choose(struct rg_ldap_directory *directory, unsigned *up)
{
	struct link *best = NULL;
	*up = 0;
	for (size_t i = 0; i < directory->search_links; i++) {
		struct link *link = &directory->links[i];
		if (link->state != LINK_UP)
			continue;
		++*up;
		if (!link->writing && !link->broken && link->tasks < PIPELINE_MOST &&
		    (!best || (best->tasks >= PIPELINE_BUSY && link->tasks < best->tasks)))
			best = link;
	}
	return best;
}

static struct link *link_empty(struct rg_ldap_directory *directory)
{
	for (size_t i = 0; i < directory->search_links; i++)
		if (directory->links[i].state == LINK_EMPTY)
			return &directory->links[i];
	return NULL;
}

/* An attempt is under way that may still bring a connection. */
static bool attempt_hopeful(struct rg_ldap_directory *directory)
{
	bool hopeful = false;
	pthread_mutex_lock(&directory->lock);
	for (size_t i = 0; i < directory->search_links; i++)
		hopeful |= directory->links[i].job && !directory->links[i].job->late;
	pthread_mutex_unlock(&directory->lock);
	return hopeful;
}

/* The server that connections go to now; NULL: there are none. */
static struct rg_server *server_serving(struct rg_ldap_directory *directory)
{
	for (size_t i = 0; i < directory->search_links; i++)
		if (directory->links[i].state == LINK_UP)
			return directory->links[i].server;
	return NULL;
}

/* The first server, up to and without `before`, that may be tried; NULL: none. */
static struct rg_server *server_eligible(struct rg_ldap_directory *directory,
					 const struct rg_server *before, uint64_t now)
{
	for (size_t i = 0; i < directory->settings->uris.count; i++) {
		struct rg_server *server = server_at(directory, i);
		if (server == before)
			return NULL;
		if (!server->attempting && server_due(server, before) <= now)
			return server;
	}
	return NULL;
}

static void plan_attempts(struct rg_ldap_directory *directory, uint64_t now)
{
	struct rg_server *serving = server_serving(directory), *server;
	struct link *empty = link_empty(directory);
	unsigned up;
	if (!empty || (!serving && attempt_hopeful(directory)))
		return;
	server = server_eligible(directory, serving, now);
	if (!server && serving && !serving->attempting) {
		struct link *link = link_choose(directory, &up);
		bool busy = !link || link->tasks >= PIPELINE_BUSY;
		if (busy && up < (unsigned)directory->settings->connections)
			server = serving;
	}
	if (server && !job_connect(directory, empty, server, now))
		mark_down(directory, server, "no thread to connect in", now);
}

static void place_tasks(struct rg_ldap_directory *directory)
{
	unsigned up;
	struct task *task = TAILQ_FIRST(&directory->waiting);
	for (; task; task = TAILQ_FIRST(&directory->waiting)) {
		struct link *link = link_choose(directory, &up);
		if (!link)
			return;
		if (atomic_load_explicit(&task->question->cancelled, memory_order_relaxed))
			task_answer(directory, task, RG_OUTCOME_UNAVAILABLE, "cancelled");
		else
			task_start(directory, task, link);
	}
}

static uint64_t retry_soonest(struct rg_ldap_directory *directory)
{
	uint64_t soonest = UINT64_MAX;
	const struct rg_server *serving = server_serving(directory);
	for (size_t i = 0; i < directory->settings->uris.count; i++) {
		struct rg_server *server = server_at(directory, i);
		if (server == serving)
			break;
		uint64_t due = server_due(server, serving);
		if (!server->attempting && due < soonest)
			soonest = due;
	}
	return soonest;
}

/* While all servers are down there is no point in waiting for the deadline. */
static void refuse_waiting(struct rg_ldap_directory *directory, uint64_t now)
{
	if (server_serving(directory) || attempt_hopeful(directory) ||
	    retry_soonest(directory) <= now + RETRY_NEAR_NS)
		return;
	const struct rg_server *server = server_at(directory, 0);
	while (!TAILQ_EMPTY(&directory->waiting))
		task_answer(directory, TAILQ_FIRST(&directory->waiting), RG_OUTCOME_UNAVAILABLE,
			    "%s: %s", server->uri, server->why);
}

void plan_next(struct rg_ldap_directory *directory, uint64_t now)
{
	place_tasks(directory);
	for (size_t i = 0; i < directory->search_links; i++)
		if (directory->links[i].handle)
			link_flush(&directory->links[i]);
	bind_next(directory, now);
	plan_attempts(directory, now);
	refuse_waiting(directory, now);
}

uint64_t plan_due(struct rg_ldap_directory *directory)
{
	uint64_t due = UINT64_MAX;
	if (!TAILQ_EMPTY(&directory->tasks))
		due = TAILQ_FIRST(&directory->tasks)->question->deadline_ns;
	for (size_t i = 0; i < directory->search_links; i++) {
		struct link *link = &directory->links[i];
		struct search *search = link->handle ? TAILQ_FIRST(&link->searches) : NULL;
		if (link->handle && link->broken)
			return 0;
		if (search && search->due_ns < due)
			due = search->due_ns;
	}
	pthread_mutex_lock(&directory->lock);
	struct job *job = TAILQ_FIRST(&directory->jobs);
	for (; job; job = TAILQ_NEXT(job, next))
		if (!job->late && job->late_ns < due)
			due = job->late_ns;
	pthread_mutex_unlock(&directory->lock);
	uint64_t bind = bind_due(directory);
	if (bind < due)
		due = bind;
	/* A retry is due only where there is a place for its connection. */
	uint64_t retry = link_empty(directory) ? retry_soonest(directory) : UINT64_MAX;
	if (!server_serving(directory) && attempt_hopeful(directory))
		retry = UINT64_MAX;
	return retry < due ? retry : due;
}
