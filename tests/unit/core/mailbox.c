#include "core/mailbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#define THREADS 4
#define POSTS   2000

struct letter {
	struct rg_message message; /* first, so that one is the other */
	unsigned sender, number;
};

struct office {
	uv_loop_t loop;
	struct rg_mailbox mailbox;
	unsigned delivered, next[THREADS];
	atomic_uint closing;
	bool ordered;
	unsigned stop_after;
};

struct sender {
	uv_thread_t thread;
	struct rg_mailbox *mailbox;
	unsigned index;
};

static void deliver(struct rg_message *message, void *owner, bool closing)
{
	struct letter *letter = (struct letter *)message;
	struct office *office = owner;
	if (closing) {
		atomic_fetch_add(&office->closing, 1);
	} else {
		office->ordered &= letter->number == office->next[letter->sender]++;
		if (++office->delivered == office->stop_after)
			mailbox_close(&office->mailbox);
	}
	free(letter);
}

static void post(struct rg_mailbox *mailbox, unsigned sender, unsigned number)
{
	struct letter *letter = malloc(sizeof(*letter));
	*letter = (struct letter){
		.message = {.deliver = deliver}, .sender = sender, .number = number};
	mailbox_post(mailbox, &letter->message);
}

static void send_all(void *argument)
{
	struct sender *sender = argument;
	for (unsigned i = 0; i < POSTS; i++)
		post(sender->mailbox, sender->index, i);
}

static void open_office(struct office *office)
{
	*office = (struct office){.ordered = true};
	assert_int_equal(uv_loop_init(&office->loop), 0);
	assert_int_equal(mailbox_init(&office->mailbox, &office->loop, office), 0);
}

static void close_office(struct office *office)
{
	uv_run(&office->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&office->loop), 0);
	mailbox_destroy(&office->mailbox);
}

static void run_senders(struct office *office, unsigned stop_after)
{
	struct sender senders[THREADS];
	open_office(office);
	office->stop_after = stop_after;
	for (unsigned i = 0; i < THREADS; i++) {
		senders[i] = (struct sender){.mailbox = &office->mailbox, .index = i};
		assert_int_equal(uv_thread_create(&senders[i].thread, send_all, &senders[i]), 0);
	}
	uv_run(&office->loop, UV_RUN_DEFAULT); /* until the mailbox closes */
	for (unsigned i = 0; i < THREADS; i++)
		uv_thread_join(&senders[i].thread);
	close_office(office);
}

static void every_message_arrives_once_and_in_order(void **state)
{
	struct office office;
	(void)state;
	run_senders(&office, THREADS * POSTS);
	assert_int_equal(office.delivered, THREADS * POSTS);
	assert_int_equal(atomic_load(&office.closing), 0);
	assert_true(office.ordered);
}

static void closing_amid_posts_loses_none(void **state)
{
	struct office office;
	(void)state;
	for (unsigned stop_after = 1; stop_after < POSTS; stop_after = 3 * stop_after + 1) {
		run_senders(&office, stop_after);
		assert_int_equal(office.delivered + atomic_load(&office.closing), THREADS * POSTS);
		assert_true(office.ordered);
	}
}

static void after_close_a_message_is_only_freed(void **state)
{
	struct office office;
	(void)state;
	open_office(&office);
	post(&office.mailbox, 0, 0); /* queued */
	mailbox_close(&office.mailbox);
	assert_int_equal(atomic_load(&office.closing), 1);
	post(&office.mailbox, 0, 1);
	assert_int_equal(atomic_load(&office.closing), 2);
	close_office(&office);
	assert_int_equal(office.delivered, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_arrives_once_and_in_order),
		cmocka_unit_test(closing_amid_posts_loses_none),
		cmocka_unit_test(after_close_a_message_is_only_freed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
