#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/sandbox.h"
#include "core/thread.h"
#include "directory.h"

/* A copy of the descriptor: libldap may close its own at any time. */
static void job_connected(struct rg_connect *connect, int fd)
{
	struct job *job = (struct job *)((char *)connect - offsetof(struct job, connect));
	pthread_mutex_lock(&job->directory->lock);
	if (job->fd >= 0)
		close(job->fd);
	job->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (job->late || atomic_load(&job->directory->closing))
		job_cut(job);
	pthread_mutex_unlock(&job->directory->lock);
}

void job_cut(struct job *job)
{
	job->late = true;
	if (job->fd >= 0)
		shutdown(job->fd, SHUT_RDWR);
}

static void *job_run(void *opaque)
{
	struct job *job = opaque;
	struct rg_ldap_directory *directory = job->directory;
	sandbox_enter(RG_ROLE_DIRECTORY);
	job->result = connection_make(&job->connect);
	pthread_mutex_lock(&directory->lock);
	if (job->fd >= 0)
		close(job->fd);
	job->fd = -1;
	TAILQ_REMOVE(&directory->jobs, job, next);
	TAILQ_INSERT_TAIL(&directory->finished, job, next);
	pthread_mutex_unlock(&directory->lock);
	uint64_t one = 1;
	ssize_t written = write(directory->wake, &one, sizeof(one));
	(void)written; /* full means that it will wake anyway */
	return NULL;
}

static bool job_start(struct job *job, uint64_t now)
{
	struct rg_ldap_directory *directory = job->directory;
	job->connect.settings = directory->settings;
	job->connect.uri = job->server->uri;
	job->connect.stop = &directory->closing;
	job->connect.connected = job_connected;
	job->late_ns = now + (uint64_t)directory->settings->timeout_ms * RG_MS;
	pthread_mutex_lock(&directory->lock);
	bool started = thread_begin(&job->thread, job_run, job);
	if (started)
		TAILQ_INSERT_TAIL(&directory->jobs, job, next);
	pthread_mutex_unlock(&directory->lock);
	return started;
}

static struct job *job_new(struct rg_ldap_directory *directory, struct rg_server *server)
{
	struct job *job = calloc(1, sizeof(*job));
	if (job) {
		job->directory = directory;
		job->server = server;
		job->fd = -1;
	}
	return job;
}

void job_free(struct job **freed)
{
	struct job *job = *freed;
	if (!job)
		return;
	*freed = NULL;
	if (job->connect.handle)
		ldap_unbind_ext(job->connect.handle, NULL, NULL);
	free(job);
}

bool job_connect(struct rg_ldap_directory *directory, struct link *link, struct rg_server *server,
		 uint64_t now)
{
	struct job *job = job_new(directory, server);
	if (!job)
		return false;
	job->link = link;
	job->connect.for_people = link->for_people;
	if (!job_start(job, now)) {
		job_free(&job);
		return false;
	}
	link->state = LINK_CONNECTING;
	link->server = server;
	link->job = job;
	if (!link->for_people)
		server->attempting = true;
	return true;
}
