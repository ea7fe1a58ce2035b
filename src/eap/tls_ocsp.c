/* The queue of OCSP questions: a few threads ask, one more sees to it that every question is
 * answered at its deadline, wherever a thread may hang (a resolver, a responder that accepts and is
 * silent). */
#include "eap/tls_ocsp.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/sandbox.h"
#include "core/thread.h"
#include "eap/tls_private.h"

#define THREADS        4
#define PER_RESPONDER  2 /* of them; so a dead one leaves threads for the others */
#define QUEUE_MOST     1024
#define RESPONDERS     64
#define FAILURES_MOST  3 /* in a row; then the responder is left alone */
#define REST_S         15
#define STAPLE_RETRY_S 60

/* How a responder fares. */
struct fare {
	char name[sizeof(((struct rg_ocsp_responder *)0)->name)];
	unsigned jobs; /* queued or running: the slot is in use */
	unsigned running, failures;
	uint64_t rest_until_ns, used_ns;
};

struct job {
	struct job *next;
	bool staple;
	X509 *certificate, *issuer;
	struct rg_tls_context *context; /* held; staple only */
	struct rg_ocsp_responder responder;
	struct fare *fare;                 /* of the responder, from queue_put on */
	struct rg_ocsp_question *question; /* NULL: answered, or a staple's */
	const char *hopeless;              /* why nobody can be asked; NULL otherwise */
	uint64_t deadline_ns;
};

/* Process-wide; all below lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work, deadlines;
static bool running, closing;
static pthread_t threads[THREADS + 1];
static int stop_fd = -1;
static struct job *queue, **queue_end = &queue, *busy[THREADS];
static unsigned queued;
static struct fare fares[RESPONDERS];

static void job_free(struct job *job)
{
	X509_free(job->certificate);
	X509_free(job->issuer);
	tls_context_unref(&job->context);
	free(job);
}

/* Its slot, or a free one for it; NULL: all are in use. */
static struct fare *fare_of(const char *name)
{
	struct fare *oldest = NULL, *fare;
	for (fare = fares; fare < fares + RESPONDERS && strcmp(fare->name, name) != 0; fare++)
		if (fare->jobs == 0 && (!oldest || fare->used_ns < oldest->used_ns))
			oldest = fare;
	if (fare == fares + RESPONDERS) {
		fare = oldest;
		if (!fare)
			return NULL;
		*fare = (struct fare){0};
		snprintf(fare->name, sizeof(fare->name), "%s", name);
	}
	fare->used_ns = clock_now();
	return fare;
}

/* Gives the question its one answer. Without the lock; the question was taken from its job under
 * it. */
static void question_answer(struct rg_ocsp_question *question, enum rg_revocation outcome,
			    const char *detail)
{
	if (!question)
		return;
	question->outcome = outcome;
	snprintf(question->detail, sizeof(question->detail), "%s", detail);
	question->answered(question);
}

static struct rg_ocsp_question *question_take(struct job *job)
{
	struct rg_ocsp_question *question = job->question;
	job->question = NULL;
	return question;
}

/* The next job whose responder is not busy enough already. */
static struct job *queue_pick(uint64_t now)
{
	for (struct job **at = &queue; *at; at = &(*at)->next) {
		const struct fare *fare = (*at)->fare;
		if (fare->running >= PER_RESPONDER && fare->rest_until_ns <= now)
			continue;
		struct job *job = *at;
		*at = job->next;
		if (queue_end == &job->next)
			queue_end = at;
		queued--;
		return job;
	}
	return NULL;
}

static OCSP_REQUEST *request_make(const struct job *job)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, job->certificate, job->issuer);
	if (!request || !id || !OCSP_request_add0_id(request, id)) {
		OCSP_CERTID_free(id);
		OCSP_REQUEST_free(request);
		return NULL;
	}
	OCSP_request_add1_nonce(request, NULL, -1);
	return request;
}

static void staple_keep(struct job *job, OCSP_RESPONSE *response, enum rg_revocation outcome,
			time_t until)
{
	struct rg_tls_staple *staple = &job->context->staple;
	time_t now = time(NULL);
	uint8_t *der = NULL;
	int length = outcome == RG_REVOCATION_GOOD && until > now
			     ? i2d_OCSP_RESPONSE(response, &der)
			     : 0;
	pthread_mutex_lock(&staple->lock);
	staple->fetching = false;
	staple->next_try_ns = clock_now() + STAPLE_RETRY_S * RG_SECOND;
	if (length > 0) {
		OPENSSL_free(staple->der);
		staple->der = der;
		staple->length = (size_t)length;
		staple->good_until = until;
		staple->next_try_ns = clock_now() + (uint64_t)(until - now) / 2 * RG_SECOND;
	}
	pthread_mutex_unlock(&staple->lock);
}

/* Asks and judges. answered: the responder did its part, whatever it said. */
static enum rg_revocation job_run(struct job *job, char detail[RG_OCSP_DETAIL], bool *answered)
{
	enum rg_revocation outcome = RG_REVOCATION_UNAVAILABLE;
	time_t now = time(NULL), until = 0;
	struct rg_ocsp_key key;
	bool keyed = ocsp_key_make(&key, job->certificate, job->issuer, &job->responder);
	*answered = true;
	if (!job->staple && keyed && ocsp_cache_find(&key, now, &outcome)) {
		snprintf(detail, RG_OCSP_DETAIL, "%s, as asked before",
			 outcome == RG_REVOCATION_GOOD ? "good" : "revoked");
		return outcome;
	}
	OCSP_REQUEST *request = request_make(job);
	OCSP_RESPONSE *response = NULL;
	snprintf(detail, RG_OCSP_DETAIL, "no memory");
	if (request)
		response =
			ocsp_exchange(&job->responder, request, job->deadline_ns, stop_fd, detail);
	*answered = response;
	if (response)
		outcome = ocsp_judge(response, request, job->certificate, job->issuer, &until,
				     detail);
	if (keyed && outcome != RG_REVOCATION_UNAVAILABLE)
		ocsp_cache_put(&key, outcome, now, until);
	if (job->staple)
		staple_keep(job, response, outcome, until);
	OCSP_RESPONSE_free(response);
	OCSP_REQUEST_free(request);
	return outcome;
}

/* One job from the queue to its answer; called and left with the lock. */
static void job_serve(unsigned self, struct job *job)
{
	uint64_t now = clock_now();
	struct fare *fare = job->fare;
	char detail[RG_OCSP_DETAIL];
	enum rg_revocation outcome = RG_REVOCATION_UNAVAILABLE;
	bool resting = fare->rest_until_ns > now, gone = !job->staple && !job->question;
	bool answered = true, asks = !resting && !gone && !job->hopeless;
	fare->running++;
	busy[self] = job;
	pthread_mutex_unlock(&lock);
	if (job->hopeless) {
		snprintf(detail, sizeof(detail), "%s", job->hopeless);
	} else if (resting) {
		snprintf(detail, sizeof(detail),
			 "OCSP %s: left alone for a while, it did not answer", job->responder.name);
		if (job->staple)
			staple_keep(job, NULL, outcome, 0);
	} else if (asks) {
		outcome = job_run(job, detail, &answered);
	}
	pthread_mutex_lock(&lock);
	busy[self] = NULL;
	fare->running--;
	fare->jobs--;
	if (asks)
		fare->failures = answered ? 0 : fare->failures + 1;
	if (fare->failures >= FAILURES_MOST) {
		fare->failures = 0;
		fare->rest_until_ns = clock_now() + REST_S * RG_SECOND;
	}
	struct rg_ocsp_question *question = question_take(job);
	pthread_cond_broadcast(&work); /* a job that waited for this responder may go now */
	pthread_mutex_unlock(&lock);
	question_answer(question, outcome, detail);
	job_free(job);
	ERR_clear_error();
	pthread_mutex_lock(&lock);
}

static void *thread_ask(void *argument)
{
	unsigned self = (unsigned)(uintptr_t)argument;
	sandbox_enter(RG_ROLE_OCSP);
	pthread_mutex_lock(&lock);
	while (!closing) {
		struct job *job = queue_pick(clock_now());
		if (job)
			job_serve(self, job);
		else
			pthread_cond_wait(&work, &lock);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* A job whose deadline has passed, or when the next one will. */
static struct job *overdue(uint64_t now, uint64_t *next)
{
	*next = UINT64_MAX;
	for (unsigned i = 0; i < THREADS; i++) {
		if (!busy[i] || !busy[i]->question)
			continue;
		if (busy[i]->deadline_ns <= now)
			return busy[i];
		if (busy[i]->deadline_ns < *next)
			*next = busy[i]->deadline_ns;
	}
	for (struct job *job = queue; job; job = job->next) {
		if (!job->question)
			continue;
		if (job->deadline_ns <= now)
			return job;
		if (job->deadline_ns < *next)
			*next = job->deadline_ns;
	}
	return NULL;
}

static void *thread_deadlines(void *unused)
{
	(void)unused;
	sandbox_enter(RG_ROLE_OCSP);
	pthread_mutex_lock(&lock);
	while (!closing) {
		uint64_t next;
		struct job *late = overdue(clock_now(), &next);
		if (late) {
			char detail[RG_OCSP_DETAIL];
			struct rg_ocsp_question *question = question_take(late);
			snprintf(detail, sizeof(detail), "OCSP %s: no answer in time",
				 late->responder.name);
			pthread_mutex_unlock(&lock);
			question_answer(question, RG_REVOCATION_UNAVAILABLE, detail);
			pthread_mutex_lock(&lock);
		} else if (next == UINT64_MAX) {
			pthread_cond_wait(&deadlines, &lock);
		} else {
			struct timespec ts = {(time_t)(next / RG_SECOND), (long)(next % RG_SECOND)};
			pthread_cond_timedwait(&deadlines, &lock, &ts);
		}
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* With the lock. */
static bool threads_start(void)
{
	pthread_condattr_t monotonic;
	if (running || closing)
		return running && !closing;
	stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (stop_fd < 0)
		return false;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&work, NULL);
	pthread_cond_init(&deadlines, &monotonic);
	pthread_condattr_destroy(&monotonic);
	unsigned started = 0;
	while (started <= THREADS &&
	       thread_begin(&threads[started], started < THREADS ? thread_ask : thread_deadlines,
			    (void *)(uintptr_t)started))
		started++;
	running = started > THREADS;
	if (!running) {
		int error = errno;
		closing = true;
		pthread_mutex_unlock(&lock);
		while (started-- > 0)
			pthread_join(threads[started], NULL);
		pthread_mutex_lock(&lock);
		closing = false;
		close(stop_fd);
		errno = error;
	}
	return running;
}

bool tls_ocsp_start(void)
{
	pthread_mutex_lock(&lock);
	bool fine = threads_start();
	pthread_mutex_unlock(&lock);
	return fine;
}

/* False, and job untouched: full, or no threads. */
static bool queue_put(struct job *job)
{
	pthread_mutex_lock(&lock);
	bool taken = queued < QUEUE_MOST && threads_start() &&
		     (job->fare = fare_of(job->responder.name)) != NULL;
	if (taken) {
		job->fare->jobs++;
		job->next = NULL;
		*queue_end = job;
		queue_end = &job->next;
		queued++;
		pthread_cond_signal(&work);
		pthread_cond_signal(&deadlines);
	}
	pthread_mutex_unlock(&lock);
	return taken;
}

static struct job *job_new(X509 *certificate, X509 *issuer, int64_t timeout_ms)
{
	struct job *job = calloc(1, sizeof(*job));
	if (!job)
		return NULL;
	job->deadline_ns = clock_now() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 1) * RG_MS;
	if (certificate && X509_up_ref(certificate))
		job->certificate = certificate;
	if (issuer && X509_up_ref(issuer))
		job->issuer = issuer;
	return job;
}

bool tls_ocsp_needed(const struct rg_tls_context *context)
{
	return context->ocsp != RG_OCSP_OFF;
}

/* Whom to ask; or why nobody can be asked. */
static const char *responder_choose(const struct rg_tls_context *context,
				    const struct rg_proof *proof,
				    struct rg_ocsp_responder *responder)
{
	if (!proof->x509 || !proof->issuer)
		return "OCSP: the issuer of the certificate is not known";
	if (context->ocsp_responder && !ocsp_responder_parse(responder, context->ocsp_responder))
		return "OCSP: ocsp_responder is no http:// URL";
	if (!context->ocsp_responder && !ocsp_responder_of(responder, proof->x509))
		return "OCSP: the certificate names no responder";
	return NULL;
}

bool tls_ocsp_ask(struct rg_tls_context *context, const struct rg_proof *proof,
		  struct rg_ocsp_question *question)
{
	/* References only; X509_up_ref wants what is borrowed as const. */
	struct job *job = job_new((X509 *)(uintptr_t)proof->x509, (X509 *)(uintptr_t)proof->issuer,
				  context->ocsp_timeout_ms);
	if (!job)
		return false;
	job->question = question;
	job->hopeless = responder_choose(context, proof, &job->responder);
	if (queue_put(job))
		return true;
	job->question = NULL;
	job_free(job);
	return false;
}

/* Whose signature is on our own certificate: the chain's, or a CA of the realm. */
static X509 *certificate_issuer(const struct rg_tls_context *context)
{
	STACK_OF(X509) * lists[] = {context->chain, context->authorities};
	for (size_t list = 0; list < 2; list++)
		for (int i = 0; i < sk_X509_num(lists[list]); i++)
			if (X509_check_issued(sk_X509_value(lists[list], i),
					      context->certificate) == X509_V_OK)
				return sk_X509_value(lists[list], i);
	return NULL;
}

static void staple_fetch(struct rg_tls_context *context)
{
	struct job *job = job_new(context->certificate, certificate_issuer(context), 10000);
	if (job && job->issuer && ocsp_responder_of(&job->responder, context->certificate)) {
		job->staple = true;
		job->context = tls_context_ref(context);
		if (queue_put(job))
			return;
	}
	if (job)
		job_free(job);
	pthread_mutex_lock(&context->staple.lock);
	context->staple.fetching = false;
	pthread_mutex_unlock(&context->staple.lock);
}

uint8_t *tls_staple_get(struct rg_tls_context *context, size_t *length)
{
	struct rg_tls_staple *staple = &context->staple;
	time_t now = time(NULL);
	uint8_t *copy = NULL;
	pthread_mutex_lock(&staple->lock);
	if (staple->good_until > now && (copy = OPENSSL_memdup(staple->der, staple->length)))
		*length = staple->length;
	bool fetch = !staple->fetching && clock_now() >= staple->next_try_ns;
	if (fetch) {
		staple->fetching = true;
		staple->next_try_ns = clock_now() + STAPLE_RETRY_S * RG_SECOND;
	}
	pthread_mutex_unlock(&staple->lock);
	if (fetch)
		staple_fetch(context);
	return copy;
}

void tls_ocsp_close(void)
{
	pthread_mutex_lock(&lock);
	bool stop = running;
	closing = stop;
	if (stop) {
		pthread_cond_broadcast(&work);
		pthread_cond_broadcast(&deadlines);
		eventfd_write(stop_fd, 1);
	}
	pthread_mutex_unlock(&lock);
	for (unsigned i = 0; stop && i <= THREADS; i++)
		pthread_join(threads[i], NULL);
	while (queue) {
		struct job *job = queue;
		queue = job->next;
		question_answer(question_take(job), RG_REVOCATION_UNAVAILABLE, "OCSP: stopping");
		job_free(job);
	}
	queue_end = &queue;
	queued = 0;
	if (stop) {
		close(stop_fd);
		pthread_cond_destroy(&work);
		pthread_cond_destroy(&deadlines);
	}
	memset(fares, 0, sizeof(fares));
	running = closing = false;
	ocsp_cache_clear();
}
