/* Runs seeds. Each has a process of its own, so that nothing of one is left for the next, and a
 * crash is one seed's. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim.h"

#define QUIET_NS                                                                                   \
	(150 * RG_SECOND) /* after the last sign-in has ended: longer than anything is kept */

/* What a seed's process tells. */
struct outcome {
	uint64_t hash, steps;
	unsigned accepts, rejects, silences;
	bool done;
};

static bool stopped;

static void on_stall(void *context)
{
	const struct rg_worker *worker = context;
	if (stopped)
		return;
	say("worker %u does nothing for a while", worker->number);
	loops_stall(&worker->loop, world.now + chance_between(&world.loop, 50, 4000) * RG_MS);
}

static void on_reload(void *context)
{
	(void)context;
	if (!stopped)
		gateway_reload();
}

static void on_drain(void *context)
{
	(void)context;
	if (!stopped)
		gateway_drain();
}

static bool all_over(void)
{
	for (unsigned i = 0; i < people.count; i++)
		if (!people.signins[i].over)
			return false;
	return true;
}

static void step(void)
{
	world.steps++;
	while (loops_turn())
		inside_check();
}

/* On to what happens next, until then. False: nothing does before. */
static bool go_on(uint64_t until)
{
	uint64_t event, loop;
	bool events = event_next(&event), loops = loops_next(&loop);
	if ((!events || event > until) && (!loops || loop > until)) {
		world.now = until;
		return false;
	}
	if (events && (!loops || event <= loop)) {
		world.now = event > world.now ? event : world.now;
		event_run();
	} else {
		world.now = loop > world.now ? loop : world.now;
	}
	step();
	return true;
}

static void begin(uint64_t seed)
{
	world.seed = seed;
	world.hash = UINT64_C(0xcbf29ce484222325);
	plan_draw(&world.plan, seed);
	struct chance *const streams[] = {&world.net,  &world.entropy,   &world.nas,
					  &world.peer, &world.directory, &world.loop,
					  &world.town, &world.memory};
	for (unsigned i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
		*streams[i] = chance_of(seed, 10 + i);
	world.now = (1000 + chance_below(&world.town, 1000000)) * RG_SECOND;
	people_draw();
	gateway_begin();
	peers_begin();
	nases_begin();
	for (unsigned i = 0; i < world.plan.stalls; i++)
		event_at(world.now + (uint64_t)chance_below(&world.loop, 40000) * RG_MS, on_stall,
			 &gateway_workers[chance_below(&world.loop, world.plan.workers)]);
	for (unsigned i = world.plan.reload ? chance_between(&world.town, 1, 3) : 0; i != 0; i--)
		event_at(world.now + (uint64_t)chance_below(&world.town, 40000) * RG_MS, on_reload,
			 NULL);
	step();
}

static void check_calm(void)
{
	for (unsigned i = 0; i < people.count; i++) {
		const struct signin *signin = &people.signins[i];
		if (signin_must(signin) && signin->result != RG_RESULT_ACCEPT)
			broken("p%u (%s): nothing went wrong, and the sign-in ended in %s", i,
			       signin->user, result_word(signin->result));
		if (signin->manner == WRONG_PROOF && signin->kind != LOOP &&
		    !signin_unsigned(signin) && signin->result != RG_RESULT_REJECT)
			broken("p%u (%s): should have been rejected, and got %s", i, signin->user,
			       result_word(signin->result));
	}
}

static void run_seed(uint64_t seed, struct outcome *outcome)
{
	begin(seed);
	uint64_t cut = world.plan.cut ? world.now + chance_between(&world.town, 5000, 40000) * RG_MS
				      : UINT64_MAX;
	if (world.plan.cut && world.plan.drain)
		event_at(cut - 5 * RG_SECOND, on_drain, NULL);
	uint64_t last = world.now + 400 * RG_SECOND;
	while (!all_over() && world.now < last && world.now < cut)
		go_on(cut < last ? cut : last);
	if (world.now < cut) {
		uint64_t quiet = world.now + QUIET_NS;
		while (go_on(quiet))
			;
		inside_check_quiet();
		if (!all_over())
			broken("a sign-in that never ends");
		if (world.plan.calm)
			check_calm();
	}
	gateway_stop();
	stopped = true;
	uint64_t at;
	while (event_next(&at)) {
		world.now = at > world.now ? at : world.now;
		event_run();
	}
	loops_check_closed();
	sockets_check_closed();
	*outcome = (struct outcome){world.hash,    world.steps,    world.accepts,
				    world.rejects, world.silences, true};
	events_forget();
	exchanges_forget();
	peers_end();
}

/* LeakSanitizer, where it is linked in. */
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static int leaks(uint64_t seed)
{
	/* Looking takes longer than the seed did. */
	return __lsan_do_recoverable_leak_check && seed % 8 == 0 &&
	       __lsan_do_recoverable_leak_check();
}

/* True: it held. */
static bool run_apart(uint64_t seed, struct outcome *outcome)
{
	int status;
	outcome->done = false;
	pid_t child = fork();
	must(child >= 0);
	if (child == 0) {
		alarm(60); /* a turn that never ends */
		run_seed(seed, outcome);
		_exit(leaks(seed));
	}
	while (waitpid(child, &status, 0) < 0)
		must(errno == EINTR);
	if (outcome->done && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFSIGNALED(status))
		fprintf(stderr, "sim: seed %" PRIu64 ": ended by signal %d\n", seed,
			WTERMSIG(status));
	fprintf(stderr, "not ok - seed %" PRIu64 "\nagain: %s --seed %" PRIu64 " --verbose\n", seed,
		program_invocation_name, seed);
	return false;
}

struct wanted {
	uint64_t first, count;
	unsigned twice,
		failures; /* every so manyth seed runs twice; after so many failures it is enough */
};

static int run_many(const struct wanted *wanted)
{
	struct outcome *outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct outcome sum = {0};
	uint64_t good = 0, bad = 0, twice = 0, hash = 0;
	must(outcome != MAP_FAILED);
	for (uint64_t seed = wanted->first;
	     seed < wanted->first + wanted->count && bad < wanted->failures; seed++) {
		bool fine = run_apart(seed, outcome);
		struct outcome first = *outcome;
		if (fine && wanted->twice != 0 && seed % wanted->twice == 0) {
			twice++;
			fine = run_apart(seed, outcome) && outcome->hash == first.hash;
			if (!fine)
				fprintf(stderr,
					"not ok - seed %" PRIu64 ": two runs of it differ\n", seed);
		}
		good += fine;
		bad += !fine;
		hash = hash * 31 + first.hash;
		sum.steps += first.steps;
		sum.accepts += first.accepts;
		sum.rejects += first.rejects;
		sum.silences += first.silences;
	}
	munmap(outcome, sizeof(*outcome));
	printf("%s - %" PRIu64 " seeds from %" PRIu64 ", %" PRIu64 " broken; %" PRIu64
	       " run twice; %" PRIu64
	       " steps; sign-ins: %u accepted, %u rejected, %u given up; hash %016" PRIx64 "\n",
	       bad ? "not ok" : "ok", good + bad, wanted->first, bad, twice, sum.steps, sum.accepts,
	       sum.rejects, sum.silences, hash);
	return bad ? 1 : 0;
}

static int run_one(uint64_t seed)
{
	struct outcome outcome;
	run_seed(seed, &outcome);
	printf("ok - seed %" PRIu64 ": %" PRIu64 " steps, hash %016" PRIx64 "\n", seed,
	       outcome.steps, outcome.hash);
	return 0;
}

static const char usage[] = "sim [--from N] [--count N] [--twice N] [--failures N]\n"
			    "sim --seed N [--verbose]\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {{"from", 1, NULL, 'f'},  {"count", 1, NULL, 'c'},
						{"twice", 1, NULL, 't'}, {"failures", 1, NULL, 'F'},
						{"seed", 1, NULL, 's'},  {"verbose", 0, NULL, 'v'},
						{NULL, 0, NULL, 0}};
	struct wanted wanted = {.first = 1, .count = 1000, .twice = 50, .failures = 1};
	bool one = false;
	int option, result;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		uint64_t number = optarg ? strtoull(optarg, NULL, 0) : 0;
		if (option == 'f' || option == 's')
			wanted.first = number;
		if (option == 'c')
			wanted.count = number;
		if (option == 't')
			wanted.twice = (unsigned)number;
		if (option == 'F')
			wanted.failures = (unsigned)number;
		one |= option == 's';
		world.verbose |= option == 'v';
		if (option == '?') {
			fputs(usage, stderr);
			return 2;
		}
	}
	clock_install();
	if (!town_prepare()) {
		fputs("sim: no raddb could be made\n", stderr);
		return 2;
	}
	result = one ? run_one(wanted.first) : run_many(&wanted);
	town_end();
	return result;
}
