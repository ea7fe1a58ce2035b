#include "verifier.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <wbclient.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/sandbox.h"
#include "core/secret.h"
#include "core/thread.h"
#include "refusal.h"

struct errand {
	TAILQ_ENTRY(errand) in_turn; /* of those that wait; then of those that threads are at */
	struct rg_verification asked;
	bool answered; /* its time was over; the thread that is at it drops it */
};

TAILQ_HEAD(errand_list, errand);

struct rg_verifier {
	char *name, *domain;
	int64_t threads_most;
	pthread_mutex_t lock; /* over all that follows */
	pthread_cond_t changed;
	struct errand_list waiting, running;
	int64_t threads, stuck; /* stuck: at an errand that has been answered without them */
	unsigned holders;       /* the directory, and each thread: the last one frees */
	bool closing;
	struct rg_winbind_state state;
	struct rg_log_limit log;
};

/* What winbindd said. */
struct verdict {
	enum rg_outcome outcome;
	char detail[160];
	uint8_t hash_hash[16];
	bool reached; /* winbindd answered at all */
};

static void verifier_release(struct rg_verifier *verifier, bool last)
{
	if (!last)
		return;
	pthread_cond_destroy(&verifier->changed);
	pthread_mutex_destroy(&verifier->lock);
	free(verifier->name);
	free(verifier->domain);
	free(verifier);
}

static void errand_free(struct errand *errand)
{
	secret_wipe(errand, sizeof(*errand));
	free(errand);
}

static wbcErr authenticate(struct wbcContext *context, const char *domain,
			   const struct rg_verification *asked, struct wbcAuthUserInfo **info,
			   struct wbcAuthErrorInfo **error)
{
	uint8_t response[24];
	memcpy(response, asked->nt_response, sizeof(response));
	struct wbcAuthUserParams parameters = {
		.account_name = asked->account,
		.domain_name = domain,
		.parameter_control = WBC_MSV1_0_ALLOW_MSVCHAPV2 |
				     WBC_MSV1_0_ALLOW_WORKSTATION_TRUST_ACCOUNT |
				     WBC_MSV1_0_ALLOW_SERVER_TRUST_ACCOUNT,
		.level = WBC_AUTH_USER_LEVEL_RESPONSE,
		.password.response = {.nt_length = sizeof(response), .nt_data = response},
	};
	memcpy(parameters.password.response.challenge, asked->challenge, 8);
	wbcErr code = wbcCtxAuthenticateUserEx(context, &parameters, info, error);
	secret_wipe(response, sizeof(response));
	return code;
}

static void read_verdict(struct verdict *verdict, wbcErr code, struct wbcAuthUserInfo *info,
			 const struct wbcAuthErrorInfo *error)
{
	verdict->outcome = RG_OUTCOME_UNAVAILABLE;
	verdict->reached = code == WBC_ERR_SUCCESS || code == WBC_ERR_AUTH_ERROR;
	if (code == WBC_ERR_SUCCESS && info) {
		verdict->outcome = RG_OUTCOME_FOUND;
		memcpy(verdict->hash_hash, info->user_session_key, sizeof(verdict->hash_hash));
		secret_wipe(info->user_session_key, sizeof(info->user_session_key));
		secret_wipe(info->lm_session_key, sizeof(info->lm_session_key));
		return;
	}
	if (code == WBC_ERR_AUTH_ERROR && error)
		verdict->outcome = status_read(error->nt_status);
	snprintf(verdict->detail, sizeof(verdict->detail), "winbindd: %s",
		 code == WBC_ERR_AUTH_ERROR && error && error->nt_string ? error->nt_string
									 : wbcErrorString(code));
}

static void verify(struct wbcContext **context, const char *domain,
		   const struct rg_verification *asked, struct verdict *verdict)
{
	struct wbcAuthUserInfo *info = NULL;
	struct wbcAuthErrorInfo *error = NULL;
	*verdict = (struct verdict){.outcome = RG_OUTCOME_UNAVAILABLE};
	/* A winbindd that was started anew does not know the connection that a context keeps. */
	for (unsigned tries = 0; tries < 2 && !verdict->reached; tries++) {
		if (!*context)
			*context = wbcCtxCreate();
		if (!*context) {
			snprintf(verdict->detail, sizeof(verdict->detail), "no memory");
			return;
		}
		wbcErr code = authenticate(*context, domain, asked, &info, &error);
		read_verdict(verdict, code, info, error);
		wbcFreeMemory(info);
		wbcFreeMemory(error);
		info = NULL;
		error = NULL;
		if (!verdict->reached) {
			wbcCtxFree(*context);
			*context = NULL;
		}
	}
}

/* Under the lock. */
static void state_set(struct rg_verifier *verifier, enum rg_directory_state state, const char *why)
{
	if (verifier->state.state != state) {
		verifier->state.since = (int64_t)(clock_wall() / RG_SECOND);
		if (state == RG_DIRECTORY_DOWN)
			log_limited(&verifier->log, RG_LOG_WARNING,
				    "directory of %s: winbindd is down: %s", verifier->name, why);
		else
			log_limited(&verifier->log, RG_LOG_INFO, "directory of %s: winbindd is up",
				    verifier->name);
	}
	verifier->state.state = state;
	snprintf(verifier->state.why, sizeof(verifier->state.why), "%s", why);
}

/* Under the lock, which it leaves for the answer. */
static void answer(struct rg_verifier *verifier, const struct rg_verification *asked,
		   enum rg_outcome outcome, const char *detail, const uint8_t hash_hash[16])
{
	static const uint8_t none[16];
	void (*verified)(void *, enum rg_outcome, const char *, const uint8_t[16]) =
		asked->verified;
	void *context = asked->context;
	pthread_mutex_unlock(&verifier->lock);
	verified(context, outcome, detail, hash_hash ? hash_hash : none);
	pthread_mutex_lock(&verifier->lock);
}

/* Under the lock: the thread is back from winbindd. */
static void conclude(struct rg_verifier *verifier, struct errand *errand, struct verdict *verdict)
{
	TAILQ_REMOVE(&verifier->running, errand, in_turn);
	if (!verifier->closing)
		state_set(verifier, verdict->reached ? RG_DIRECTORY_UP : RG_DIRECTORY_DOWN,
			  verdict->reached ? "" : verdict->detail);
	if (errand->answered)
		verifier->stuck--;
	else
		answer(verifier, &errand->asked, verdict->outcome, verdict->detail,
		       verdict->hash_hash);
	errand_free(errand);
	secret_wipe(verdict, sizeof(*verdict));
}

static void *run_thread(void *opaque)
{
	struct rg_verifier *verifier = opaque;
	struct wbcContext *context = NULL;
	struct verdict verdict;
	sandbox_enter(RG_ROLE_DIRECTORY);
	pthread_mutex_lock(&verifier->lock);
	while (!verifier->closing) {
		struct errand *errand = TAILQ_FIRST(&verifier->waiting);
		if (!errand) {
			pthread_cond_wait(&verifier->changed, &verifier->lock);
			continue;
		}
		TAILQ_REMOVE(&verifier->waiting, errand, in_turn);
		TAILQ_INSERT_TAIL(&verifier->running, errand, in_turn);
		struct rg_verification asked = errand->asked;
		pthread_mutex_unlock(&verifier->lock);
		verify(&context, verifier->domain, &asked, &verdict);
		secret_wipe(&asked, sizeof(asked));
		pthread_mutex_lock(&verifier->lock);
		conclude(verifier, errand, &verdict);
	}
	verifier->threads--;
	pthread_cond_broadcast(&verifier->changed);
	bool last = --verifier->holders == 0;
	pthread_mutex_unlock(&verifier->lock);
	if (context)
		wbcCtxFree(context);
	verifier_release(verifier, last);
	return NULL;
}

/* Under the lock: the next one whose time is over; *due is when to look again. */
static struct errand *overdue(struct rg_verifier *verifier, uint64_t *due)
{
	struct errand_list *lists[] = {&verifier->running, &verifier->waiting};
	uint64_t now = verifier->closing ? UINT64_MAX : clock_now();
	bool hopeless = verifier->stuck >= verifier->threads_most;
	*due = UINT64_MAX;
	for (size_t i = 0; i < 2; i++) {
		struct errand *errand;
		TAILQ_FOREACH(errand, lists[i], in_turn)
		{
			if (errand->answered)
				continue;
			if (errand->asked.due_ns <= now || (i == 1 && hopeless))
				return errand;
			if (errand->asked.due_ns < *due)
				*due = errand->asked.due_ns;
		}
	}
	return NULL;
}

/* Under the lock. */
static void give_up(struct rg_verifier *verifier, struct errand *errand)
{
	struct errand *running;
	const char *why =
		verifier->closing ? "the directory is being closed" : "winbindd does not answer";
	TAILQ_FOREACH(running, &verifier->running, in_turn)
	if (running == errand)
		break;
	if (!verifier->closing)
		state_set(verifier, RG_DIRECTORY_DOWN, why);
	if (running) {
		errand->answered = true;
		verifier->stuck++;
		struct rg_verification asked = errand->asked;
		answer(verifier, &asked, RG_OUTCOME_UNAVAILABLE, why, NULL);
		secret_wipe(&asked, sizeof(asked));
		return;
	}
	TAILQ_REMOVE(&verifier->waiting, errand, in_turn);
	answer(verifier, &errand->asked, RG_OUTCOME_UNAVAILABLE, why, NULL);
	errand_free(errand);
}

/* Keeps the time of all. */
static void *run_keeper(void *opaque)
{
	struct rg_verifier *verifier = opaque;
	sandbox_enter(RG_ROLE_DIRECTORY);
	pthread_mutex_lock(&verifier->lock);
	for (;;) {
		uint64_t due;
		struct errand *errand = overdue(verifier, &due);
		if (errand) {
			give_up(verifier, errand);
			continue;
		}
		if (verifier->closing)
			break;
		struct timespec until = {(time_t)(due / RG_SECOND), (long)(due % RG_SECOND)};
		if (due == UINT64_MAX)
			pthread_cond_wait(&verifier->changed, &verifier->lock);
		else
			pthread_cond_timedwait(&verifier->changed, &verifier->lock, &until);
	}
	verifier->threads--;
	pthread_cond_broadcast(&verifier->changed);
	bool last = --verifier->holders == 0;
	pthread_mutex_unlock(&verifier->lock);
	verifier_release(verifier, last);
	return NULL;
}

static bool start(struct rg_verifier *verifier, void *(*run)(void *))
{
	pthread_t thread;
	pthread_mutex_lock(&verifier->lock);
	bool started = thread_begin(&thread, run, verifier);
	if (started) {
		pthread_detach(thread);
		verifier->threads++;
		verifier->holders++;
	}
	pthread_mutex_unlock(&verifier->lock);
	return started;
}

struct rg_verifier *verifier_open(const struct rg_winbind_settings *settings, const char *name)
{
	struct rg_verifier *verifier = calloc(1, sizeof(*verifier));
	pthread_condattr_t monotonic;
	if (!verifier)
		return NULL;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&verifier->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&verifier->lock, NULL);
	TAILQ_INIT(&verifier->waiting);
	TAILQ_INIT(&verifier->running);
	verifier->holders = 1;
	verifier->threads_most = settings->verifiers;
	verifier->state.since = (int64_t)(clock_wall() / RG_SECOND);
	verifier->name = strdup(name);
	verifier->domain = settings->domain ? strdup(settings->domain) : NULL;
	verifier->log = (struct rg_log_limit){.burst = 4, .every_s = 60};
	bool good = verifier->name && (verifier->domain || !settings->domain);
	good = good && start(verifier, run_keeper);
	for (int64_t i = 0; good && i < verifier->threads_most; i++)
		good = start(verifier, run_thread);
	int error = errno;
	if (!good) {
		verifier_close(&verifier);
		errno = error;
	}
	return verifier;
}

bool verifier_ask(struct rg_verifier *verifier, const struct rg_verification *asked)
{
	struct errand *errand = calloc(1, sizeof(*errand));
	if (!errand)
		return false;
	errand->asked = *asked;
	pthread_mutex_lock(&verifier->lock);
	TAILQ_INSERT_TAIL(&verifier->waiting, errand, in_turn);
	pthread_cond_broadcast(&verifier->changed);
	pthread_mutex_unlock(&verifier->lock);
	return true;
}

void verifier_state(struct rg_verifier *verifier, struct rg_winbind_state *state)
{
	pthread_mutex_lock(&verifier->lock);
	*state = verifier->state;
	pthread_mutex_unlock(&verifier->lock);
}

void verifier_close(struct rg_verifier **closed)
{
	struct rg_verifier *verifier = *closed;
	*closed = NULL;
	if (!verifier)
		return;
	pthread_mutex_lock(&verifier->lock);
	verifier->closing = true;
	pthread_cond_broadcast(&verifier->changed);
	/* The keeper answers what is open, and counts whoever is at it as stuck. */
	while (verifier->threads > verifier->stuck)
		pthread_cond_wait(&verifier->changed, &verifier->lock);
	bool last = --verifier->holders == 0;
	pthread_mutex_unlock(&verifier->lock);
	verifier_release(verifier, last);
}
