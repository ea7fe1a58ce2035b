/* A directory that answers, is slow, fails, hangs until it gives up, or has no room; each question
 * once, as roamgate/directory.h wants it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module/module.h"
#include "sim.h"

unsigned questions_open;

struct asked {
	struct asked *next, **self;
	struct rg_question *question; /* NULL: answered */
	bool fails;
	unsigned holders; /* the list, the event */
};

static struct asked *open_questions;

static unsigned offers(const void *settings)
{
	(void)settings;
	return RG_OFFERS_IDENTITY | RG_OFFERS_PASSWORD | RG_OFFERS_GROUPS;
}

static void *open_directory(const void *settings, const char *name)
{
	static char handle;
	(void)settings;
	(void)name;
	return &handle;
}

/* The truth, for what was asked. */
static enum rg_outcome outcome_of(const struct signin *signin, const struct rg_question *question)
{
	if (!signin)
		return RG_OUTCOME_NO_ENTRY;
	if (question->kind == RG_ASK_PASSWORD && signin->truth == RG_OUTCOME_FOUND &&
	    !span_equal(question->password, span_text(signin->password)))
		return RG_OUTCOME_WRONG_SECRET;
	return signin->truth;
}

static void answer(struct asked *asked, bool fails)
{
	struct rg_question *question = asked->question;
	struct signin *signin = signin_of_name(question->identity, strlen(question->identity));
	asked->question = NULL;
	*asked->self = asked->next;
	if (asked->next)
		asked->next->self = asked->self;
	questions_open--;
	question->outcome = fails ? RG_OUTCOME_UNAVAILABLE : outcome_of(signin, question);
	for (size_t i = 0; i < question->group_count; i++)
		question->member[i] = !fails && signin && signin->member;
	/* Nobody listens any more: then anything may be said, and must do no harm. */
	if (question->cancelled) {
		question->outcome = RG_OUTCOME_FOUND;
		for (size_t i = 0; i < question->group_count; i++)
			question->member[i] = true;
	} else if (signin) {
		signin->told = question->outcome;
		signin->granted_by_directory |=
			question->outcome == RG_OUTCOME_FOUND && signin->member;
		signin->denied_by_directory |= question->outcome != RG_OUTCOME_FOUND && !fails;
	}
	say("    directory: %s: outcome %d%s", question->identity, (int)question->outcome,
	    question->cancelled ? ", to nobody" : "");
	snprintf(question->detail, sizeof(question->detail), "uid=%.100s", question->identity);
	trace("directory", (uint64_t)question->outcome, question->identity,
	      strlen(question->identity));
	if (--asked->holders == 0)
		free(asked);
	question->answered(question);
}

static void on_time(void *context)
{
	struct asked *asked = context;
	if (asked->question)
		answer(asked, asked->fails); /* frees nothing: this hold is left */
	if (--asked->holders == 0)
		free(asked);
}

static uint64_t delay_draw(const struct rg_question *question, bool *fails)
{
	uint64_t delay = chance_between(&world.directory, 1, 60) * RG_MS;
	*fails = false;
	if (!chance_permille(&world.directory, world.plan.sick))
		return delay;
	switch (chance_below(&world.directory, 4)) {
	case 0: /* slow */
		return chance_between(&world.directory, 500, 9500) * RG_MS;
	case 1: /* hangs until its time is over */
		*fails = true;
		return question->deadline_ns - world.now + 50 * RG_MS;
	case 2: /* at once */
		return 0;
	default: /* fails */
		*fails = true;
		return delay;
	}
}

static bool ask(void *directory, struct rg_question *question)
{
	(void)directory;
	must(question->deadline_ns > world.now && !question->cancelled);
	if (chance_permille(&world.directory, world.plan.sick / 4))
		return false; /* the queue is full */
	struct signin *signin = signin_of_name(question->identity, strlen(question->identity));
	if (signin)
		signin->asked++;
	struct asked *asked = own(sizeof(*asked));
	asked->question = question;
	asked->holders = 2;
	asked->next = open_questions;
	asked->self = &open_questions;
	if (asked->next)
		asked->next->self = &asked->next;
	open_questions = asked;
	questions_open++;
	uint64_t delay = delay_draw(question, &asked->fails);
	if (delay != 0) {
		event_at(world.now + delay, on_time, asked);
	} else { /* before the asker knows that it was taken */
		asked->holders = 1;
		answer(asked, false);
	}
	return true;
}

static void status(void *directory, void (*each)(void *context, const struct rg_directory_server *),
		   void *context)
{
	(void)directory;
	(void)each;
	(void)context;
}

static void close_directory(void *directory)
{
	(void)directory;
	while (open_questions)
		answer(open_questions, true);
}

static const struct rg_directory_kind kind = {offers, open_directory, ask, status, close_directory};
static const struct rg_row no_rows[] = {{0}};
const struct rg_module sim_directory_module = {
	.abi = RG_MODULE_ABI,
	.kind = RG_MODULE_DIRECTORY,
	.name = "dir_sim",
	.settings = no_rows,
	.settings_size = 16,
	.ops.directory = &kind,
};
