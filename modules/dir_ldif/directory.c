/* Two threads: one reads the file, and reads it again when it has changed; one answers, from what
 * was read last. A disk that hangs holds up the first one only. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/sandbox.h"
#include "core/text.h"
#include "core/thread.h"
#include "judge.h"

#define LOOK_EVERY_NS (500 * RG_MS)
#define LOOKS_UNREAD  10 /* until a file that could not be read is tried again, though it is as it was */

struct waiting {
	TAILQ_ENTRY(waiting) next;
	struct rg_question *question;
};

TAILQ_HEAD(waiting_list, waiting);

struct rg_ldif_directory {
	const struct rg_ldif_settings *settings;
	char *name;
	struct rg_nt_digests *digests; /* NULL: not made so far; the answerer's */
	pthread_t reader, answerer;

	pthread_mutex_t lock; /* over all that follows */
	pthread_cond_t asked, closed;
	bool closing;
	struct waiting_list questions;
	size_t count;
	struct rg_store *store; /* NULL: not read yet, or unreadable */
	enum rg_directory_state state;
	char why[160];
	int64_t since;
};

/* How one state of the file is told from another. */
struct version {
	struct timespec changed;
	off_t size;
	ino_t inode;
	int error;
};

static struct version version_of(const char *path)
{
	struct stat status;
	if (stat(path, &status) != 0)
		return (struct version){.error = errno};
	return (struct version){status.st_mtim, status.st_size, status.st_ino, 0};
}

static bool version_same(const struct version *a, const struct version *b)
{
	return a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec &&
	       a->size == b->size && a->inode == b->inode && a->error == b->error;
}

/* changed: since it was read last; else what fails as before is not said again. False: it could not be read. */
static bool read_again(struct rg_ldif_directory *directory, bool changed)
{
	char why[160] = "";
	const char *path = directory->settings->file;
	struct rg_store *store = store_read(path, why);
	enum rg_directory_state state = store ? RG_DIRECTORY_UP : RG_DIRECTORY_DOWN;
	char shown[240];
	text_escape(shown, sizeof(shown), span_text(why));
	if (store)
		log_write(RG_LOG_INFO, "directory of %s: %zu entr%s from %s", directory->name,
			  store->count, store->count == 1 ? "y" : "ies", path);
	else if (changed || strcmp(why, directory->why) != 0)
		log_write(RG_LOG_WARNING, "directory of %s: %s: %s", directory->name, path, shown);
	pthread_mutex_lock(&directory->lock);
	struct rg_store *before = directory->store;
	directory->store = store;
	if (directory->state != state)
		directory->since = (int64_t)(clock_wall() / RG_SECOND);
	directory->state = state;
	memcpy(directory->why, why, sizeof(why));
	pthread_cond_signal(&directory->asked);
	pthread_mutex_unlock(&directory->lock);
	store_release(&before);
	return store;
}

static struct timespec time_of(uint64_t ns)
{
	return (struct timespec){(time_t)(ns / RG_SECOND), (long)(ns % RG_SECOND)};
}

static void *run_reader(void *opaque)
{
	struct rg_ldif_directory *directory = opaque;
	struct version last = {.error = -1};
	bool closing = false, is_read = false;
	unsigned looks = 0;
	sandbox_enter(RG_ROLE_DIRECTORY);
	while (!closing) {
		struct version now = version_of(directory->settings->file);
		bool changed = !version_same(&now, &last);
		/* It may have been memory or a descriptor that was wanting, or the right to read it. */
		if (changed || (!is_read && ++looks >= LOOKS_UNREAD)) {
			is_read = read_again(directory, changed);
			looks = 0;
		}
		last = now;
		struct timespec next = time_of(clock_now() + LOOK_EVERY_NS);
		pthread_mutex_lock(&directory->lock);
		if (!directory->closing)
			pthread_cond_timedwait(&directory->closed, &directory->lock, &next);
		closing = directory->closing;
		pthread_mutex_unlock(&directory->lock);
	}
	return NULL;
}

static void answer_unavailable(struct rg_question *question, const char *why)
{
	question->outcome = RG_OUTCOME_UNAVAILABLE;
	snprintf(question->detail, sizeof(question->detail), "%s", why);
}

/* Under the lock: the next to be answered, or NULL; *until is when to look again. */
static struct waiting *next_waiting(struct rg_ldif_directory *directory, uint64_t now,
				    uint64_t *until)
{
	struct waiting *waiting = TAILQ_FIRST(&directory->questions);
	*until = UINT64_MAX;
	if (directory->closing || directory->state != RG_DIRECTORY_UNKNOWN)
		return waiting;
	/* The first reading is under way: only those go whose time is over. */
	for (; waiting; waiting = TAILQ_NEXT(waiting, next)) {
		if (waiting->question->deadline_ns <= now)
			return waiting;
		if (waiting->question->deadline_ns < *until)
			*until = waiting->question->deadline_ns;
	}
	return NULL;
}

static void wait_asked(struct rg_ldif_directory *directory, uint64_t until)
{
	struct timespec time = time_of(until);
	if (until == UINT64_MAX)
		pthread_cond_wait(&directory->asked, &directory->lock);
	else
		pthread_cond_timedwait(&directory->asked, &directory->lock, &time);
}

static void answer_one(struct rg_ldif_directory *directory, struct waiting *waiting)
{
	struct rg_question *question = waiting->question;
	TAILQ_REMOVE(&directory->questions, waiting, next);
	directory->count--;
	struct rg_store *store = directory->closing ? NULL : store_hold(directory->store);
	char why[160];
	snprintf(why, sizeof(why), "%s",
		 directory->closing  ? "the directory is being closed"
		 : directory->why[0] ? directory->why
				     : "the file is not read yet");
	pthread_mutex_unlock(&directory->lock);
	/* There was no memory for them, perhaps, and now there is. */
	if (!directory->digests && question->kind == RG_ASK_MSCHAPV2)
		directory->digests = nt_digests_new();
	if (store && !atomic_load_explicit(&question->cancelled, memory_order_relaxed))
		question_judge(directory->settings, store, directory->digests, question);
	else
		answer_unavailable(question, why);
	store_release(&store);
	free(waiting);
	question->answered(question);
	pthread_mutex_lock(&directory->lock);
}

static void *run_answerer(void *opaque)
{
	struct rg_ldif_directory *directory = opaque;
	thread_patient(); /* as dir_ldap's */
	sandbox_enter(RG_ROLE_DIRECTORY);
	pthread_mutex_lock(&directory->lock);
	for (;;) {
		uint64_t until;
		struct waiting *waiting = next_waiting(directory, clock_now(), &until);
		if (waiting)
			answer_one(directory, waiting);
		else if (directory->closing)
			break;
		else
			wait_asked(directory, until);
	}
	pthread_mutex_unlock(&directory->lock);
	return NULL;
}

bool directory_ask_ldif(void *opaque, struct rg_question *question)
{
	struct rg_ldif_directory *directory = opaque;
	struct waiting *waiting = malloc(sizeof(*waiting));
	if (!waiting)
		return false;
	waiting->question = question;
	pthread_mutex_lock(&directory->lock);
	bool room = directory->count < (size_t)directory->settings->queue;
	if (room) {
		TAILQ_INSERT_TAIL(&directory->questions, waiting, next);
		directory->count++;
		pthread_cond_signal(&directory->asked);
	}
	pthread_mutex_unlock(&directory->lock);
	if (!room)
		free(waiting);
	return room;
}

void directory_status_ldif(void *opaque,
			   void (*each)(void *context, const struct rg_directory_server *),
			   void *context)
{
	struct rg_ldif_directory *directory = opaque;
	char uri[512], why[160];
	snprintf(uri, sizeof(uri), "file:%s", directory->settings->file);
	pthread_mutex_lock(&directory->lock);
	struct rg_directory_server server = {uri, directory->state, why, directory->since};
	memcpy(why, directory->why, sizeof(why));
	pthread_mutex_unlock(&directory->lock);
	each(context, &server);
}

static void directory_free(struct rg_ldif_directory *directory)
{
	store_release(&directory->store);
	nt_digests_free(&directory->digests);
	pthread_cond_destroy(&directory->asked);
	pthread_cond_destroy(&directory->closed);
	pthread_mutex_destroy(&directory->lock);
	free(directory->name);
	free(directory);
}

static void end_thread(struct rg_ldif_directory *directory, pthread_t thread)
{
	pthread_mutex_lock(&directory->lock);
	directory->closing = true;
	pthread_cond_signal(&directory->asked);
	pthread_cond_signal(&directory->closed);
	pthread_mutex_unlock(&directory->lock);
	pthread_join(thread, NULL);
}

void *directory_open_ldif(const void *settings, const char *name)
{
	struct rg_ldif_directory *directory = calloc(1, sizeof(*directory));
	if (!directory)
		return NULL;
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&directory->asked, &monotonic);
	pthread_cond_init(&directory->closed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&directory->lock, NULL);
	TAILQ_INIT(&directory->questions);
	directory->settings = settings;
	directory->since = (int64_t)(clock_wall() / RG_SECOND);
	directory->digests = nt_digests_new();
	directory->name = strdup(name);
	bool reads = directory->name && thread_begin(&directory->reader, run_reader, directory);
	bool answers = reads && thread_begin(&directory->answerer, run_answerer, directory);
	if (answers)
		return directory;
	int error = errno;
	if (reads)
		end_thread(directory, directory->reader);
	directory_free(directory);
	errno = error;
	return NULL;
}

void directory_close_ldif(void *opaque)
{
	struct rg_ldif_directory *directory = opaque;
	end_thread(directory, directory->answerer);
	end_thread(directory, directory->reader);
	directory_free(directory);
}
