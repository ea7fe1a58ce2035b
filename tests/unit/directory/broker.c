/* Questions of several workers to a directory that answers from threads of its own. */
#include "directory/broker.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/secret.h"
#include "support.h"

#define WORKERS   4
#define QUESTIONS 2000
#define QUEUE     64

/* A directory module made of two threads and a ring. */

struct mock_settings {
	const char *answer;
	struct rg_secret *password;
	struct rg_strings uris;
};

struct mock {
	const struct mock_settings *settings;
	pthread_mutex_t lock;
	pthread_cond_t asked;
	struct rg_question *ring[QUEUE];
	size_t count;
	bool held, closing;
	pthread_t threads[2];
};

static atomic_uint mocks_open;
static struct mock *last_mock;

static void mock_answer(struct mock *mock, struct rg_question *question)
{
	assert_string_equal(mock->settings->answer, "yes");
	question->outcome = mock->closing ? RG_OUTCOME_UNAVAILABLE : RG_OUTCOME_FOUND;
	for (size_t i = 0; i < question->group_count; i++)
		question->member[i] = strcmp(question->groups[i], "ict") == 0;
	strcpy(question->detail, question->identity);
	question->answered(question);
}

static void *mock_run(void *opaque)
{
	struct mock *mock = opaque;
	pthread_mutex_lock(&mock->lock);
	for (;;) {
		while ((mock->count == 0 || mock->held) && !mock->closing)
			pthread_cond_wait(&mock->asked, &mock->lock);
		if (mock->count == 0)
			break;
		struct rg_question *question = mock->ring[--mock->count];
		pthread_mutex_unlock(&mock->lock);
		mock_answer(mock, question);
		pthread_mutex_lock(&mock->lock);
	}
	pthread_mutex_unlock(&mock->lock);
	return NULL;
}

static void *mock_open(const void *settings, const char *name)
{
	assert_string_equal(name, "beuningen.nl");
	struct mock *mock = calloc(1, sizeof(*mock));
	mock->settings = settings;
	pthread_mutex_init(&mock->lock, NULL);
	pthread_cond_init(&mock->asked, NULL);
	for (size_t i = 0; i < 2; i++)
		pthread_create(&mock->threads[i], NULL, mock_run, mock);
	mocks_open++;
	last_mock = mock;
	return mock;
}

static bool mock_ask(void *opaque, struct rg_question *question)
{
	struct mock *mock = opaque;
	pthread_mutex_lock(&mock->lock);
	bool room = mock->count < QUEUE;
	if (room)
		mock->ring[mock->count++] = question;
	pthread_cond_signal(&mock->asked);
	pthread_mutex_unlock(&mock->lock);
	return room;
}

static void mock_hold(struct mock *mock, bool held)
{
	pthread_mutex_lock(&mock->lock);
	mock->held = held;
	pthread_cond_broadcast(&mock->asked);
	pthread_mutex_unlock(&mock->lock);
}

static void mock_status(void *opaque, void (*each)(void *, const struct rg_directory_server *),
			void *context)
{
	struct mock *mock = opaque;
	const struct rg_directory_server server = {mock->settings->uris.items[0], RG_DIRECTORY_DOWN,
						   "a\nb\xff", 0};
	each(context, &server);
}

static void mock_close(void *opaque)
{
	struct mock *mock = opaque;
	pthread_mutex_lock(&mock->lock);
	mock->closing = true;
	pthread_cond_broadcast(&mock->asked);
	pthread_mutex_unlock(&mock->lock);
	for (size_t i = 0; i < 2; i++)
		pthread_join(mock->threads[i], NULL);
	pthread_mutex_destroy(&mock->lock);
	pthread_cond_destroy(&mock->asked);
	free(mock);
	mocks_open--;
}

static const struct rg_directory_kind mock_kind = {
	.open = mock_open, .ask = mock_ask, .status = mock_status, .close = mock_close};
static const struct rg_row mock_rows[] = {
	{.name = "answer", .type = RG_STRING, .offset = offsetof(struct mock_settings, answer)},
	{.name = "password", .type = RG_SECRET, .offset = offsetof(struct mock_settings, password)},
	{.name = "uris", .type = RG_STRINGS, .offset = offsetof(struct mock_settings, uris)},
	{0},
};
static const struct rg_module mock_module = {.abi = RG_MODULE_ABI,
					     .kind = RG_MODULE_DIRECTORY,
					     .name = "dir_mock",
					     .settings = mock_rows,
					     .settings_size = sizeof(struct mock_settings),
					     .ops.directory = &mock_kind};

static const char *const mock_uris[] = {"mock://one"};

static struct rg_directory *open_mock(const char *digest)
{
	char answer[] = "yes";
	struct mock_settings settings = {.answer = answer, .uris = {mock_uris, 1}};
	struct rg_realm realm = {.name = "beuningen.nl",
				 .directory = {.module = &mock_module, .settings = &settings}};
	strcpy(realm.directory.digest, digest);
	settings.password = secret_new("geheim", 6);
	struct rg_directory *directory = directory_get(&realm);
	secret_free(&settings.password);
	/* What it was read from is gone now; the directory has its own. */
	memset(answer, 'x', sizeof(answer) - 1);
	return directory;
}

/* A worker: asks, and asks again when it is answered. */

struct worker {
	pthread_t thread;
	uv_loop_t loop;
	struct rg_mailbox mailbox;
	struct rg_directory *directory;
	unsigned asked, answered, cancelled, refused, open;
	struct rg_inquiry *to_cancel;
	struct rg_message start;
};

static void worker_answered(void *asker, const struct rg_question *answer);

static void worker_ask(struct worker *worker)
{
	static const char *const groups[] = {"ict", "staff"};
	struct rg_ask ask = {.identity = "jan@beuningen.nl",
			     .user = "jan",
			     .realm = "beuningen.nl",
			     .password = span_text("geheim"),
			     .groups = groups,
			     .group_count = 2,
			     .deadline_ns = clock_now() + RG_SECOND};
	while (worker->asked < QUESTIONS && worker->open < 8) {
		struct rg_inquiry *inquiry = directory_ask(
			worker->directory, &ask, &worker->mailbox, worker_answered, worker);
		if (!inquiry) {
			worker->refused++;
			break;
		}
		worker->asked++;
		if (worker->asked % 7 == 0) {
			inquiry_cancel(&inquiry);
			worker->cancelled++;
		} else {
			worker->open++;
		}
	}
	if (worker->open == 0)
		mailbox_close(&worker->mailbox);
}

static void worker_answered(void *asker, const struct rg_question *answer)
{
	struct worker *worker = asker;
	assert_int_equal(answer->outcome, RG_OUTCOME_FOUND);
	assert_string_equal(answer->detail, "jan@beuningen.nl");
	assert_true(answer->member[0] && !answer->member[1]);
	assert_true(pthread_equal(pthread_self(), worker->thread));
	worker->answered++;
	worker->open--;
	worker_ask(worker);
}

static void worker_start(struct rg_message *message, void *owner, bool closing)
{
	(void)message;
	if (!closing)
		worker_ask(owner);
}

static void *worker_run(void *opaque)
{
	struct worker *worker = opaque;
	uv_run(&worker->loop, UV_RUN_DEFAULT);
	return NULL;
}

static void every_question_once(void **state)
{
	(void)state;
	static struct worker workers[WORKERS];
	struct rg_directory *directory = open_mock("a");
	for (size_t i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){.directory = directory, .start.deliver = worker_start};
		uv_loop_init(&workers[i].loop);
		mailbox_init(&workers[i].mailbox, &workers[i].loop, &workers[i]);
		mailbox_post(&workers[i].mailbox, &workers[i].start);
	}
	for (size_t i = 0; i < WORKERS; i++)
		pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]);
	for (size_t i = 0; i < WORKERS; i++)
		pthread_join(workers[i].thread, NULL);
	/* Cancelled ones may be on their way still; the mailboxes outlive them. */
	directory_unref(&directory);
	assert_int_equal(mocks_open, 0);
	for (size_t i = 0; i < WORKERS; i++) {
		assert_int_equal(workers[i].answered + workers[i].cancelled, workers[i].asked);
		assert_int_equal(workers[i].asked, QUESTIONS);
		mailbox_destroy(&workers[i].mailbox);
		uv_loop_close(&workers[i].loop);
	}
}

/* One loop, turned by hand. */

struct hand {
	uv_loop_t loop;
	struct rg_mailbox mailbox;
	struct rg_directory *directory;
	unsigned found, unavailable;
};

static void hand_answered(void *asker, const struct rg_question *answer)
{
	struct hand *hand = asker;
	if (answer->outcome == RG_OUTCOME_FOUND)
		hand->found++;
	else
		hand->unavailable++;
}

static struct rg_inquiry *hand_ask(struct hand *hand)
{
	struct rg_ask ask = {.identity = "jan",
			     .user = "jan",
			     .realm = "",
			     .host = NULL,
			     .deadline_ns = clock_now() + RG_SECOND};
	return directory_ask(hand->directory, &ask, &hand->mailbox, hand_answered, hand);
}

static void hand_open(struct hand *hand)
{
	*hand = (struct hand){.directory = open_mock("a")};
	uv_loop_init(&hand->loop);
	mailbox_init(&hand->mailbox, &hand->loop, NULL);
	mock_hold(last_mock, true);
}

static void hand_close(struct hand *hand)
{
	directory_unref(&hand->directory);
	mailbox_close(&hand->mailbox);
	uv_run(&hand->loop, UV_RUN_DEFAULT);
	mailbox_destroy(&hand->mailbox);
	assert_int_equal(uv_loop_close(&hand->loop), 0);
}

static void full_queue(void **state)
{
	(void)state;
	struct hand hand;
	struct rg_inquiry *inquiries[QUEUE];
	hand_open(&hand);
	for (size_t i = 0; i < QUEUE; i++)
		assert_non_null(inquiries[i] = hand_ask(&hand));
	assert_null(hand_ask(&hand));
	mock_hold(last_mock, false);
	while (hand.found < QUEUE)
		uv_run(&hand.loop, UV_RUN_ONCE);
	hand_close(&hand);
	assert_int_equal(hand.unavailable, 0);
}

static void closed_with_questions_open(void **state)
{
	(void)state;
	struct hand hand;
	hand_open(&hand);
	for (size_t i = 0; i < 10; i++)
		assert_non_null(hand_ask(&hand));
	struct rg_inquiry *cancelled = hand_ask(&hand);
	inquiry_cancel(&cancelled);
	assert_null(cancelled);
	directory_unref(&hand.directory);
	while (hand.unavailable < 10)
		uv_run(&hand.loop, UV_RUN_ONCE);
	hand_close(&hand);
	assert_int_equal(hand.found, 0);
	assert_int_equal(hand.unavailable, 10);
}

static void answers_after_the_loop_ended(void **state)
{
	(void)state;
	struct hand hand;
	hand_open(&hand);
	struct rg_inquiry *before = hand_ask(&hand), *after = hand_ask(&hand);
	inquiry_cancel(&before);
	mailbox_close(&hand.mailbox);
	uv_run(&hand.loop, UV_RUN_DEFAULT);
	directory_unref(&hand.directory);
	inquiry_cancel(&after);
	mailbox_destroy(&hand.mailbox);
	assert_int_equal(uv_loop_close(&hand.loop), 0);
	assert_int_equal(hand.found + hand.unavailable, 0);
}

static void same_digest_same_directory(void **state)
{
	(void)state;
	struct rg_directory *one = open_mock("a"), *same = open_mock("a"), *other = open_mock("b");
	assert_ptr_equal(one, same);
	assert_ptr_not_equal(one, other);
	assert_int_equal(mocks_open, 2);
	directory_unref(&one);
	assert_int_equal(mocks_open, 2);
	json_t *array = json_array();
	directory_status_json(same, "beuningen.nl", array);
	json_t *server = json_array_get(array, 0);
	assert_string_equal(json_string_value(json_object_get(server, "uri")), "mock://one");
	assert_string_equal(json_string_value(json_object_get(server, "state")), "down");
	assert_string_equal(json_string_value(json_object_get(server, "why")), "a\\x0ab\\xff");
	json_decref(array);
	directory_unref(&same);
	directory_unref(&other);
	directory_unref(&other);
	assert_int_equal(mocks_open, 0);
}

/* Whoever gives it up does not wait for it; whoever wants it gone does. */
static void closed_aside(void **state)
{
	(void)state;
	struct rg_directory *one = open_mock("a"), *same = open_mock("a");
	directories_close_aside(true);
	directory_unref(&one);
	directory_unref(&same);
	one = open_mock("a"); /* another, while the former one ends */
	directories_close_aside(false);
	assert_int_equal(mocks_open, 1);
	directory_unref(&one);
	assert_int_equal(mocks_open, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_question_once),
		cmocka_unit_test(full_queue),
		cmocka_unit_test(closed_with_questions_open),
		cmocka_unit_test(answers_after_the_loop_ended),
		cmocka_unit_test(same_digest_same_directory),
		cmocka_unit_test(closed_aside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
