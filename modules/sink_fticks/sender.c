#include "sender.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "connection.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/sandbox.h"
#include "core/secret.h"
#include "core/thread.h"
#include "frame.h"
#include "queue.h"

#define RETRY_NS      (500 * RG_MS)
#define RETRY_MOST_NS (60 * RG_SECOND)
#define DEAF_MS       1000 /* how long whoever closes waits longer than the thread should need */
#define LAST_MS       1000

struct fticks_sender {
	struct fticks_queue queue;
	struct fticks_stop stop;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t ended;
	pthread_t thread;
	bool over;      /* the thread has only to end */
	bool abandoned; /* whoever closed has gone: the thread frees */
	enum rg_sink_state state;
	char why[RG_SINK_WHY];
	uint64_t since_ns, sent;
	/* The thread's own. */
	struct fticks_format format;
	struct fticks_target target;
	char *federation, *country, *server_name,
		*named; /* named: the target as written, for the log */
	struct rg_secret *key;
	char *ca, *certificate, *private_key; /* of tls; the latter two may be NULL */
	SSL_CTX *tls;
	struct fticks_connection connection;
	struct fticks_frames frames;
	uint64_t retry_ns;
	unsigned failures;
};

static void sender_free(struct fticks_sender *sender)
{
	fticks_connection_close(&sender->connection);
	SSL_CTX_free(sender->tls);
	secret_free(&sender->key);
	free(sender->ca);
	free(sender->certificate);
	free(sender->private_key);
	free(sender->federation);
	free(sender->country);
	free(sender->server_name);
	free(sender->named);
	if (sender->stop.fd >= 0)
		close(sender->stop.fd);
	fticks_queue_destroy(&sender->queue);
	pthread_cond_destroy(&sender->ended);
	pthread_mutex_destroy(&sender->lock);
	free(sender);
}

static bool set_state(struct fticks_sender *sender, enum rg_sink_state state, const char *why)
{
	pthread_mutex_lock(&sender->lock);
	bool changed = sender->state != state;
	sender->state = state;
	snprintf(sender->why, sizeof(sender->why), "%s", why);
	if (changed)
		sender->since_ns = clock_wall();
	pthread_mutex_unlock(&sender->lock);
	return changed;
}

/* Half a second, doubling up to a minute, a quarter more or less so that many gateways do not come
 * back as one. */
static void fail(struct fticks_sender *sender, const char *why)
{
	static struct rg_log_limit limit = {.burst = 5, .every_s = 60};
	uint64_t delay = RETRY_NS << (sender->failures < 7 ? sender->failures : 7);
	fticks_connection_close(&sender->connection);
	fticks_frames_again(&sender->frames);
	if (delay > RETRY_MOST_NS)
		delay = RETRY_MOST_NS;
	sender->failures++;
	uint64_t now = clock_now();
	sender->retry_ns = now + delay - delay / 4 + (now / 1000 % 1024) * (delay / 2) / 1024;
	if (set_state(sender, RG_SINK_DOWN, why))
		log_limited(&limit, RG_LOG_WARNING, "fticks: %s takes no sign-ins: %s",
			    sender->named, why);
}

/* Files that were renewed count from the next connection on; while they are broken those of before
 * do. */
static void renew_tls(struct fticks_sender *sender)
{
	char why[RG_SINK_WHY];
	SSL_CTX *fresh = NULL;
	if (sender->target.transport == FTICKS_TLS)
		fresh = fticks_tls_new(sender->ca, sender->certificate, sender->private_key, why);
	if (!fresh)
		return;
	SSL_CTX_free(sender->tls);
	sender->tls = fresh;
}

static bool connected(struct fticks_sender *sender)
{
	static struct rg_log_limit limit = {.burst = 5, .every_s = 60};
	char why[RG_SINK_WHY];
	if (sender->connection.fd >= 0)
		return true;
	renew_tls(sender);
	if (!fticks_connection_open(&sender->connection, &sender->target, sender->tls,
				    sender->server_name, &sender->stop, why)) {
		fail(sender, why);
		return false;
	}
	if (set_state(sender, RG_SINK_UP, ""))
		log_limited(&limit, RG_LOG_INFO, "fticks: %s takes sign-ins", sender->named);
	return true;
}

static void fill(struct fticks_sender *sender)
{
	struct fticks_tick tick;
	char line[FTICKS_LINE_MOST];
	while (!fticks_frames_full(&sender->frames) && fticks_queue_take(&sender->queue, &tick)) {
		fticks_line(line, &sender->format, &tick);
		fticks_frames_add(&sender->frames, line, tick.wall_ns);
	}
}

static void flush(struct fticks_sender *sender)
{
	char why[RG_SINK_WHY];
	struct fticks_frames *frames = &sender->frames;
	while (frames->used != 0) {
		size_t written =
			fticks_connection_write(&sender->connection, frames->data + frames->sent,
						frames->used - frames->sent, &sender->stop, why);
		if (written == 0) {
			fail(sender, why);
			return;
		}
		unsigned left = fticks_frames_left(frames, written);
		pthread_mutex_lock(&sender->lock);
		sender->sent += left;
		pthread_mutex_unlock(&sender->lock);
	}
	sender->failures = 0;
}

/* Until there is something to send, somebody stops us, the receiver has ended, or it is time to try
 * again. */
static void idle(struct fticks_sender *sender)
{
	char why[RG_SINK_WHY];
	bool up = sender->connection.fd >= 0;
	uint64_t now = clock_now();
	struct pollfd ready[] = {
		{.fd = sender->stop.fd, .events = POLLIN},
		{.fd = up ? sender->queue.wake : -1, .events = POLLIN},
		{.fd = sender->connection.fd, .events = POLLIN},
	};
	int timeout = up                       ? -1
		      : now < sender->retry_ns ? (int)((sender->retry_ns - now) / RG_MS + 1)
					       : 0;
	if (poll(ready, 3, timeout) <= 0)
		return;
	if (ready[0].revents != 0)
		sender->stop.until = clock_now() + LAST_MS * RG_MS;
	if (ready[2].revents != 0 && !fticks_connection_alive(&sender->connection, why))
		fail(sender, why);
}

static void run(struct fticks_sender *sender)
{
	while (sender->stop.until == 0 ||
	       (sender->connection.fd >= 0 && clock_now() < sender->stop.until)) {
		if (sender->connection.fd < 0 &&
		    (clock_now() < sender->retry_ns || !connected(sender))) {
			if (sender->stop.until == 0)
				idle(sender);
			continue;
		}
		fill(sender);
		if (sender->frames.used != 0)
			flush(sender);
		else if (sender->stop.until != 0)
			return;
		else
			idle(sender);
	}
}

static void *sender_main(void *opaque)
{
	struct fticks_sender *sender = opaque;
	sandbox_enter(RG_ROLE_SINK);
	run(sender);
	pthread_mutex_lock(&sender->lock);
	sender->over = true;
	bool abandoned = sender->abandoned;
	pthread_cond_signal(&sender->ended);
	pthread_mutex_unlock(&sender->lock);
	if (abandoned)
		sender_free(sender);
	return NULL;
}

static bool copy(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return *out || !text;
}

static bool keep_texts(struct fticks_sender *sender, const struct fticks_settings *settings,
		       const char *country)
{
	const char *name = settings->server_name ? settings->server_name : sender->target.host;
	return copy(&sender->federation, settings->federation) && copy(&sender->country, country) &&
	       copy(&sender->server_name, name) && copy(&sender->named, settings->target) &&
	       copy(&sender->ca, settings->ca) &&
	       copy(&sender->certificate, settings->certificate) &&
	       copy(&sender->private_key, settings->private_key);
}

static bool keep_settings(struct fticks_sender *sender, const struct fticks_settings *settings,
			  const char *country, char why[RG_SINK_WHY])
{
	const char *wrong;
	if (!fticks_target_parse(&sender->target, settings->target, &wrong)) {
		snprintf(why, RG_SINK_WHY, "target %s", wrong);
		return false;
	}
	sender->key = settings->key ? secret_new(settings->key->data, settings->key->length) : NULL;
	if ((settings->key && !sender->key) || !keep_texts(sender, settings, country))
		return false;
	sender->format = (struct fticks_format){
		.federation = sender->federation,
		.country = sender->country,
		.mac = fticks_mac_of(settings->mac, settings->key),
		.key = secret_span(sender->key),
	};
	fticks_frames_init(&sender->frames, sender->target.transport,
			   fticks_facility(settings->facility));
	if (sender->target.transport == FTICKS_TLS)
		sender->tls =
			fticks_tls_new(sender->ca, sender->certificate, sender->private_key, why);
	return sender->target.transport != FTICKS_TLS || sender->tls;
}

struct fticks_sender *fticks_sender_open(const struct fticks_settings *settings,
					 const char *country, char why[RG_SINK_WHY])
{
	pthread_condattr_t monotonic;
	struct fticks_sender *sender = calloc(1, sizeof(*sender));
	snprintf(why, RG_SINK_WHY, "out of memory");
	if (!sender || !fticks_queue_init(&sender->queue, (uint32_t)settings->queue)) {
		free(sender);
		return NULL;
	}
	sender->connection.fd = -1;
	sender->since_ns = clock_wall();
	sender->stop.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&sender->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&sender->ended, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (sender->stop.fd < 0)
		snprintf(why, RG_SINK_WHY, "%s", strerror(errno));
	else if (keep_settings(sender, settings, country, why)) {
		if (thread_begin(&sender->thread, sender_main, sender))
			return sender;
		snprintf(why, RG_SINK_WHY, "a thread cannot be started: %s", strerror(errno));
	}
	sender_free(sender);
	return NULL;
}

void fticks_sender_put(struct fticks_sender *sender, const struct fticks_tick *tick)
{
	fticks_queue_put(&sender->queue, tick);
}

void fticks_sender_status(struct fticks_sender *sender, struct rg_sink_status *status)
{
	status->dropped = fticks_queue_dropped(&sender->queue, &status->waiting);
	pthread_mutex_lock(&sender->lock);
	status->state = sender->state;
	snprintf(status->why, sizeof(status->why), "%s", sender->why);
	status->since = (int64_t)(sender->since_ns / RG_SECOND);
	status->sent = sender->sent;
	pthread_mutex_unlock(&sender->lock);
}

/* A resolver can keep the thread for long; it frees what is its own once it is back. */
void fticks_sender_close(struct fticks_sender *sender)
{
	const uint64_t one = 1;
	uint64_t until = clock_now() + (LAST_MS + DEAF_MS) * RG_MS;
	const struct timespec end = {.tv_sec = (time_t)(until / RG_SECOND),
				     .tv_nsec = (long)(until % RG_SECOND)};
	int waited = 0;
	if (write(sender->stop.fd, &one, sizeof(one)) < 0)
		waited = 0; /* readable already */
	pthread_mutex_lock(&sender->lock);
	while (!sender->over && waited == 0)
		waited = pthread_cond_timedwait(&sender->ended, &sender->lock, &end);
	bool over = sender->over;
	pthread_t thread = sender->thread; /* the sender may be gone when its thread is left behind */
	sender->abandoned = !over;
	pthread_mutex_unlock(&sender->lock);
	if (over) {
		pthread_join(thread, NULL);
		sender_free(sender);
	} else {
		pthread_detach(thread);
	}
}
