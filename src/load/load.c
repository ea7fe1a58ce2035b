/* The engine: one thread that begins sign-ins, moves their packets and takes the time. */
#include "load/load.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/timer.h"
#include "load/lines.h"
#include "load/random.h"
#include "transport/udp.h"

/* RFC 5080 §2.2.1: first and longest wait before a request is sent again. */
#define IRT_NS          (2 * RG_SECOND)
#define MRT_NS          (16 * RG_SECOND)
#define PROGRESS_NS     (RG_SECOND / 2)
#define LONGEST_WAIT_NS RG_SECOND

/* The warm-up ends with nothing under way, so that what is measured is whole. */
enum phase { PHASE_WARM_UP, PHASE_MEASURED, PHASE_OVER };

/* Room for one sign-in under way. */
struct slot {
	struct rg_timer timer; /* to ask again, or to give up */
	struct run *run;
	struct slot *next_idle;
	struct rg_line *line; /* the port that it began on; NULL: none yet */
	uint8_t id;
	unsigned answers;
	uint64_t began_ns, asked_ns, give_up_ns, wait_ns;
	struct rg_span request;
	void *talk;
};

struct run {
	const struct rg_load_settings *settings;
	struct rg_load_tally *tally;
	struct rg_lines lines;
	struct rg_inbox *inbox;
	struct rg_outbox *outbox;
	struct rg_wheel wheel;
	struct slot *slots, *idle;
	uint8_t *talks;
	unsigned fresh; /* slots[fresh] and on were never used */
	unsigned under_way;
	enum phase phase;
	uint64_t now, phase_ns, progress_ns, progress_done;
	uint64_t cpu_ns;      /* ours when the phase began */
	uint64_t answered;    /* since the start: whether anybody is there */
	uint64_t number;      /* of the next sign-in */
	struct rg_line *line; /* that is read */
	struct rg_random random;
};

static uint64_t jittered(struct run *run, uint64_t value)
{
	uint64_t random = random_next(&run->random) & UINT16_MAX;
	return value - value / 10 + value / 5 / UINT16_MAX * random;
}

static void count_kind(struct rg_load_tally *tally, const char *why)
{
	struct rg_load_kind *kind = tally->kinds;
	const struct rg_load_kind *last = kind + RG_LOAD_KINDS - 1;
	while (kind < last && kind->count != 0 &&
	       strncmp(kind->why, why, sizeof(kind->why) - 1) != 0)
		kind++;
	snprintf(kind->why, sizeof(kind->why), "%s", kind == last ? "another reason" : why);
	kind->count++;
}

static void tally_add(struct run *run, struct slot *slot, enum rg_supplicant_state state)
{
	struct rg_load_tally *tally = run->tally;
	struct rg_script_verdict verdict;
	run->settings->script->tell(slot->talk, &verdict);
	tally->round_trips += verdict.round_trips;
	switch (state) {
	case RG_SUPPLICANT_SEND:
		tally->lost++;
		return;
	case RG_SUPPLICANT_ACCEPTED:
		tally->accepted++;
		tally->resumed += verdict.resumed;
		tally->keys_verified += verdict.keys_match;
		break;
	case RG_SUPPLICANT_REFUSED:
		tally->refused++;
		count_kind(tally, verdict.why);
		break;
	case RG_SUPPLICANT_FAILED:
		tally->failed++;
		count_kind(tally, verdict.why);
		break;
	}
	histogram_add(&tally->sign_ins, run->now - slot->began_ns);
	tally->elapsed_ns = run->now - run->phase_ns;
}

static void leave(struct run *run, struct slot *slot)
{
	run->settings->script->end(slot->talk);
	slot->line = NULL;
	slot->next_idle = run->idle;
	run->idle = slot;
	run->under_way--;
}

/* SEND: nobody answered. */
static void finish(struct run *run, struct slot *slot, enum rg_supplicant_state state)
{
	tally_add(run, slot, state);
	leave(run, slot);
}

/* A laptop that is carried out of reach: the server waits for its next word. */
static void walk_off(struct run *run, struct slot *slot)
{
	run->tally->abandoned++;
	run->tally->round_trips += slot->answers;
	run->tally->elapsed_ns = run->now - run->phase_ns;
	leave(run, slot);
}

static void send_request(struct run *run, struct slot *slot)
{
	uint64_t due = run->now + slot->wait_ns;
	outbox_add(run->outbox, slot->line->fd, slot->request, NULL, NULL);
	timer_arm(&run->wheel, &slot->timer, due < slot->give_up_ns ? due : slot->give_up_ns);
}

static void stop_asking(struct run *run, struct slot *slot)
{
	timer_cancel(&run->wheel, &slot->timer);
	line_give_back(slot->line, slot->id);
}

static void on_due(struct rg_timer *timer, uint64_t now)
{
	struct slot *slot = (struct slot *)timer; /* its first member */
	struct run *run = slot->run;
	if (now >= slot->give_up_ns) {
		stop_asking(run, slot);
		finish(run, slot, RG_SUPPLICANT_SEND);
		return;
	}
	slot->wait_ns = jittered(run, 2 * slot->wait_ns < MRT_NS ? 2 * slot->wait_ns : MRT_NS);
	run->tally->repeats++;
	send_request(run, slot);
}

/* The next request of that sign-in. False: it cannot be made, which nothing but a lack of memory or
 * randomness explains. */
static bool ask(struct run *run, struct slot *slot)
{
	if (!slot->line || !line_take(slot->line, slot, &slot->id))
		slot->line = lines_take(&run->lines, slot, &slot->id);
	if (!slot->line)
		return false;
	slot->request = run->settings->script->request(slot->talk, slot->id);
	if (slot->request.length == 0) {
		line_give_back(slot->line, slot->id);
		return false;
	}
	slot->asked_ns = run->now;
	slot->give_up_ns = run->now + run->settings->timeout_ns;
	slot->wait_ns = jittered(run, run->settings->repeat_ns ? run->settings->repeat_ns : IRT_NS);
	send_request(run, slot);
	return true;
}

static void on_datagram(void *context, const struct rg_datagram *datagram)
{
	struct run *run = context;
	struct rg_cursor cursor = cursor_over(datagram->bytes);
	cursor_u8(&cursor);
	uint8_t id = cursor_u8(&cursor);
	struct slot *slot = cursor.failed ? NULL : run->line->asking[id];
	bool ignored;
	if (!slot) {
		run->tally->unasked++;
		return;
	}
	enum rg_supplicant_state state =
		run->settings->script->reply(slot->talk, datagram->bytes, &ignored);
	if (ignored) {
		run->tally->ignored++;
		return;
	}
	run->answered++;
	histogram_add(&run->tally->answers, run->now - slot->asked_ns);
	stop_asking(run, slot);
	slot->answers++;
	if (state == RG_SUPPLICANT_SEND && slot->answers == run->settings->abandon)
		walk_off(run, slot);
	else if (state != RG_SUPPLICANT_SEND || !ask(run, slot))
		finish(run, slot, state);
}

/* The kernel was told that nothing listens there. */
static void on_refused(struct run *run)
{
	if (errno == ECONNREFUSED && run->answered == 0)
		run->tally->nobody_there = true;
}

static void receive(struct run *run)
{
	for (unsigned i = 0; i < run->lines.count; i++) {
		int count = RG_BATCH;
		if (run->lines.polled[i].revents == 0)
			continue;
		run->line = &run->lines.line[i];
		while (count == RG_BATCH) {
			run->now = clock_now();
			count = inbox_receive(run->inbox, run->line->fd, on_datagram, run);
		}
		if (count < 0)
			on_refused(run);
	}
}

/* Whether the phase lets anything more begin, now or later. */
static bool goes_on(const struct run *run)
{
	const struct rg_load_settings *settings = run->settings;
	if (*settings->stop || run->tally->nobody_there)
		return false;
	uint64_t elapsed = run->now - run->phase_ns;
	switch (run->phase) {
	case PHASE_WARM_UP:
		return elapsed < settings->warm_up_ns ||
		       (settings->warm_up_each && run->fresh < settings->outstanding);
	case PHASE_MEASURED:
		return (settings->count == 0 || run->tally->begun < settings->count) &&
		       (settings->duration_ns == 0 || elapsed < settings->duration_ns);
	case PHASE_OVER:
		return false;
	}
	return false;
}

/* When the next one may begin. */
static uint64_t next_begin_ns(const struct run *run)
{
	if (run->settings->rate == 0)
		return run->phase_ns;
	return run->phase_ns +
	       (uint64_t)((double)run->tally->begun / run->settings->rate * (double)RG_SECOND);
}

static struct slot *slot_take(struct run *run)
{
	struct slot *slot = run->idle;
	if (run->fresh < run->settings->outstanding)
		slot = &run->slots[run->fresh++];
	else if (slot)
		run->idle = slot->next_idle;
	return slot;
}

/* False: out of memory. */
static bool begin_one(struct run *run, struct slot *slot)
{
	const struct rg_load_settings *settings = run->settings;
	uint64_t due_ns = next_begin_ns(run);
	struct rg_who who;
	memset(slot->talk, 0, settings->script->size);
	who_make(&who, settings->pattern, (uint32_t)(run->number++ % settings->identities));
	if (!settings->script->begin(slot->talk, settings->script_settings, &who,
				     (unsigned)(slot - run->slots)))
		return false;
	run->tally->begun++;
	run->under_way++;
	/* At a rate it is late where others were still under way, and whoever waits for it knows:
	 * their time would else be left out just when it is longest. */
	slot->began_ns = settings->rate != 0 ? due_ns : run->now;
	slot->answers = 0;
	if (!ask(run, slot))
		finish(run, slot, RG_SUPPLICANT_SEND);
	return true;
}

static bool begin_all(struct run *run)
{
	while (run->under_way < run->settings->outstanding && goes_on(run) &&
	       run->now >= next_begin_ns(run)) {
		struct slot *slot = slot_take(run);
		if (!slot)
			break;
		if (!begin_one(run, slot))
			return false;
	}
	return true;
}

static void progress(struct run *run)
{
	const struct rg_load_tally *tally = run->tally;
	if (!run->settings->progress || run->now < run->progress_ns)
		return;
	uint64_t done = tally->sign_ins.count;
	double rate = (double)(done - run->progress_done) * RG_SECOND /
		      (double)(run->now - run->progress_ns + PROGRESS_NS);
	fprintf(stderr,
		"\r%s%6.1f s  %8.0f/s  accepted %" PRIu64 "  refused %" PRIu64 "  lost %" PRIu64
		"  under way %u  repeats %" PRIu64 " \033[K",
		run->phase == PHASE_WARM_UP ? "warming up" : "",
		(double)(run->now - run->phase_ns) / RG_SECOND, rate, tally->accepted,
		tally->refused + tally->failed, tally->lost, run->under_way, tally->repeats);
	run->progress_done = done;
	run->progress_ns = run->now + PROGRESS_NS;
}

static uint64_t own_cpu_ns(void)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * RG_SECOND + (uint64_t)used.tv_nsec;
}

static void phase_next(struct run *run)
{
	struct rg_load_tally *tally = run->tally;
	bool measured = run->phase == PHASE_WARM_UP && !tally->nobody_there;
	run->phase = measured ? PHASE_MEASURED : PHASE_OVER;
	if (!measured)
		return;
	memset(tally, 0, sizeof(*tally));
	run->phase_ns = run->now = clock_now();
	run->progress_done = 0;
	run->progress_ns = run->now + PROGRESS_NS;
	run->cpu_ns = own_cpu_ns();
	if (run->settings->pid)
		tally->process_known = process_use(&tally->process_before, run->settings->pid);
}

/* Waits for an answer, or until something else is to be done. */
static void wait_for_work(struct run *run)
{
	uint64_t until = run->now + LONGEST_WAIT_NS, begin = next_begin_ns(run);
	if (run->wheel.soonest_ns < until)
		until = run->wheel.soonest_ns;
	if (run->under_way < run->settings->outstanding && goes_on(run) && begin < until)
		until = begin;
	if (run->settings->progress && run->progress_ns < until)
		until = run->progress_ns;
	uint64_t wait = until > run->now ? until - run->now : 0;
	struct timespec timeout = {.tv_sec = (time_t)(wait / RG_SECOND),
				   .tv_nsec = (long)(wait % RG_SECOND)};
	if (ppoll(run->lines.polled, run->lines.count, &timeout, NULL) <= 0)
		for (unsigned i = 0; i < run->lines.count; i++)
			run->lines.polled[i].revents = 0;
}

/* What is under way is given up: nobody is there, so waiting would tell no more. */
static void give_up_all(struct run *run)
{
	for (unsigned i = 0; i < run->fresh; i++) {
		struct slot *slot = &run->slots[i];
		if (!timer_armed(&slot->timer))
			continue;
		stop_asking(run, slot);
		finish(run, slot, RG_SUPPLICANT_SEND);
	}
}

static bool work(struct run *run)
{
	while (run->phase != PHASE_OVER) {
		run->now = clock_now();
		wheel_advance(&run->wheel, run->now);
		if (!begin_all(run))
			return false;
		unsigned unsent = outbox_flush(run->outbox);
		run->tally->unsent += unsent;
		if (unsent)
			on_refused(run);
		if (run->tally->nobody_there)
			give_up_all(run);
		if (run->under_way == 0 && !goes_on(run)) {
			phase_next(run);
			continue;
		}
		progress(run);
		wait_for_work(run);
		receive(run);
	}
	if (run->settings->progress)
		fputs("\r\033[K", stderr);
	return true;
}

static bool run_open(struct run *run, const char **why)
{
	const struct rg_load_settings *settings = run->settings;
	/* Each begins aligned as malloc's own do. */
	size_t size = (settings->script->size + 15) & ~(size_t)15;
	*why = "no memory";
	run->inbox = inbox_new();
	run->outbox = outbox_new();
	run->slots = calloc(settings->outstanding, sizeof(*run->slots));
	run->talks = calloc(settings->outstanding, size);
	if (!run->inbox || !run->outbox || !run->slots || !run->talks)
		return false;
	for (unsigned i = 0; i < settings->outstanding; i++) {
		run->slots[i].run = run;
		run->slots[i].talk = run->talks + i * size;
		run->slots[i].timer.fire = on_due;
	}
	if (!lines_open(&run->lines, settings->ports, settings->server)) {
		*why = strerror(errno);
		return false;
	}
	if (!random_begin(&run->random)) {
		*why = "no randomness";
		return false;
	}
	run->now = run->phase_ns = clock_now();
	run->progress_ns = run->now + PROGRESS_NS;
	wheel_init(&run->wheel, run->now);
	return true;
}

static void run_close(struct run *run)
{
	lines_close(&run->lines);
	inbox_free(&run->inbox);
	outbox_free(&run->outbox);
	free(run->slots);
	free(run->talks);
}

bool load_run(const struct rg_load_settings *settings, struct rg_load_tally *tally,
	      const char **why)
{
	struct run run = {.settings = settings, .tally = tally, .phase = PHASE_WARM_UP};
	memset(tally, 0, sizeof(*tally));
	bool fine = run_open(&run, why);
	if (fine) {
		fine = work(&run);
		tally->own_cpu_ns = own_cpu_ns() - run.cpu_ns;
		if (settings->pid && tally->process_known)
			tally->process_known = process_use(&tally->process_after, settings->pid);
	}
	run_close(&run);
	return fine;
}
