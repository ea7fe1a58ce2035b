#include "directory/broker.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/sandbox.h"
#include "core/secret.h"
#include "core/text.h"
#include "core/thread.h"
#include "directory/keep.h"

struct rg_directory {
	struct rg_directory *next;
	unsigned references; /* under registry_lock */
	const struct rg_module *module;
	void *settings; /* its own copy */
	void *handle;   /* the module's */
	char digest[65];
};

/* The process-wide table of open directories, and how many are being closed aside. */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static struct rg_directory *registry;
static bool closes_aside;
static unsigned ending;

struct rg_inquiry {
	struct rg_message message; /* first: it is what the mailbox holds */
	struct rg_question question;
	struct rg_mailbox *mailbox;
	inquiry_done *done; /* NULL once cancelled; the worker's thread only */
	void *asker;
	atomic_uint holders; /* the asker and the directory; the last one frees */
	size_t text_length;  /* the copies that follow, password included */
	uint8_t text[];
};

static struct rg_directory *directory_open(const struct rg_realm *realm)
{
	const struct rg_directory_settings *from = &realm->directory;
	const struct rg_module *module = from->module;
	struct rg_directory *directory = calloc(1, sizeof(*directory));
	if (!directory)
		return NULL;
	directory->module = module;
	directory->references = 1;
	memcpy(directory->digest, from->digest, sizeof(directory->digest));
	directory->settings =
		settings_keep(module->settings, from->settings, module->settings_size);
	if (!directory->settings)
		goto out;
	directory->handle = module->ops.directory->open(directory->settings, realm->name);
	if (directory->handle)
		return directory;
	settings_drop(module->settings, &directory->settings);
out:
	free(directory);
	return NULL;
}

struct rg_directory *directory_get(const struct rg_realm *realm)
{
	pthread_mutex_lock(&registry_lock);
	struct rg_directory *directory = registry;
	while (directory && (directory->module != realm->directory.module ||
			     strcmp(directory->digest, realm->directory.digest) != 0))
		directory = directory->next;
	if (directory) {
		directory->references++;
	} else {
		directory = directory_open(realm);
		if (directory) {
			directory->next = registry;
			registry = directory;
		}
	}
	pthread_mutex_unlock(&registry_lock);
	return directory;
}

static void directory_close(struct rg_directory *directory)
{
	directory->module->ops.directory->close(directory->handle);
	settings_drop(directory->module->settings, &directory->settings);
	free(directory);
}

static void count_ending(int more)
{
	pthread_mutex_lock(&registry_lock);
	ending = (unsigned)((int)ending + more);
	pthread_cond_broadcast(&ended);
	pthread_mutex_unlock(&registry_lock);
}

static void *close_aside(void *directory)
{
	sandbox_enter(RG_ROLE_DIRECTORY);
	directory_close(directory);
	count_ending(-1);
	return NULL;
}

void directory_unref(struct rg_directory **held)
{
	pthread_t thread;
	struct rg_directory *directory = *held;
	if (!directory)
		return;
	*held = NULL;
	pthread_mutex_lock(&registry_lock);
	bool last = --directory->references == 0, aside = closes_aside;
	if (last) {
		struct rg_directory **at = &registry;
		while (*at != directory)
			at = &(*at)->next;
		*at = directory->next;
	}
	pthread_mutex_unlock(&registry_lock);
	if (!last)
		return;
	if (aside)
		count_ending(1);
	if (aside && thread_begin(&thread, close_aside, directory)) {
		pthread_detach(thread);
		return;
	}
	directory_close(directory);
	if (aside)
		count_ending(-1);
}

void directories_close_aside(bool aside)
{
	pthread_mutex_lock(&registry_lock);
	closes_aside = aside;
	while (!aside && ending != 0)
		pthread_cond_wait(&ended, &registry_lock);
	pthread_mutex_unlock(&registry_lock);
}

static void inquiry_free(struct rg_inquiry *inquiry)
{
	free(inquiry->question.member);
	free((void *)inquiry->question.groups);
	/* What was asked and what was answered: passwords, responses, hashes. */
	secret_wipe(inquiry, sizeof(*inquiry) + inquiry->text_length);
	free(inquiry);
}

static void inquiry_release(struct rg_inquiry *inquiry)
{
	if (atomic_fetch_sub_explicit(&inquiry->holders, 1, memory_order_acq_rel) == 1)
		inquiry_free(inquiry);
}

/* On the worker's loop; or, closing, wherever the mailbox was found closed. */
static void inquiry_deliver(struct rg_message *message, void *owner, bool closing)
{
	struct rg_inquiry *inquiry = (struct rg_inquiry *)message;
	(void)owner;
	if (!closing && inquiry->done) {
		inquiry_done *done = inquiry->done;
		inquiry->done = NULL;
		done(inquiry->asker, &inquiry->question);
		inquiry_release(inquiry); /* the asker's hold ends with done */
	}
	inquiry_release(inquiry);
}

static void inquiry_answered(struct rg_question *question)
{
	struct rg_inquiry *inquiry =
		(struct rg_inquiry *)((char *)question - offsetof(struct rg_inquiry, question));
	mailbox_post(inquiry->mailbox, &inquiry->message);
}

static const char *copy_text(struct rg_buffer *to, const char *text)
{
	struct rg_span span = span_text(text ? text : "");
	const char *copy = (const char *)to->data + to->length;
	buffer_put(to, span);
	buffer_u8(to, 0);
	return copy;
}

static struct rg_span copy_octets(struct rg_buffer *to, struct rg_span span)
{
	struct rg_span copy = {to->data + to->length, span.length};
	buffer_put(to, span);
	return copy;
}

static struct rg_inquiry *inquiry_new(const struct rg_ask *ask)
{
	const char *const texts[] = {ask->identity, ask->user, ask->realm, ask->host,
				      ask->mschap_name};
	const char **groups;
	size_t length = ask->password.length + ask->certificate.length;
	for (size_t i = 0; i < ask->group_count; i++)
		length += strlen(ask->groups[i]) + 1;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		length += (texts[i] ? strlen(texts[i]) : 0) + 1;
	struct rg_inquiry *inquiry = calloc(1, sizeof(*inquiry) + length);
	if (!inquiry)
		return NULL;
	struct rg_question *question = &inquiry->question;
	question->member = calloc(ask->group_count + 1, sizeof(bool));
	question->groups = groups = calloc(ask->group_count + 1, sizeof(*groups));
	if (!question->member || !groups) {
		inquiry_free(inquiry);
		return NULL;
	}
	inquiry->text_length = length;
	struct rg_buffer to = buffer_over(inquiry->text, length);
	question->kind = ask->kind;
	question->identity = copy_text(&to, ask->identity);
	question->user = copy_text(&to, ask->user);
	question->realm = copy_text(&to, ask->realm);
	question->host = copy_text(&to, ask->host);
	question->mschap_name = copy_text(&to, ask->mschap_name);
	memcpy(question->challenge, ask->challenge, sizeof(question->challenge));
	memcpy(question->nt_response, ask->nt_response, sizeof(question->nt_response));
	question->password = copy_octets(&to, ask->password);
	question->certificate = copy_octets(&to, ask->certificate);
	for (size_t i = 0; i < ask->group_count; i++)
		groups[i] = copy_text(&to, ask->groups[i]);
	question->group_count = ask->group_count;
	question->deadline_ns = ask->deadline_ns;
	question->outcome = RG_OUTCOME_UNAVAILABLE;
	question->answered = inquiry_answered;
	return inquiry;
}

struct rg_inquiry *directory_ask(struct rg_directory *directory, const struct rg_ask *ask,
				 struct rg_mailbox *mailbox, inquiry_done *done, void *asker)
{
	struct rg_inquiry *inquiry = inquiry_new(ask);
	if (!inquiry)
		return NULL;
	inquiry->message.deliver = inquiry_deliver;
	inquiry->mailbox = mailbox;
	inquiry->done = done;
	inquiry->asker = asker;
	atomic_init(&inquiry->holders, 2);
	if (directory->module->ops.directory->ask(directory->handle, &inquiry->question))
		return inquiry;
	inquiry_release(inquiry);
	inquiry_release(inquiry);
	return NULL;
}

void inquiry_cancel(struct rg_inquiry **held)
{
	struct rg_inquiry *inquiry = *held;
	if (!inquiry)
		return;
	*held = NULL;
	inquiry->done = NULL;
	atomic_store_explicit(&inquiry->question.cancelled, true, memory_order_relaxed);
	inquiry_release(inquiry);
}

struct status_list {
	const char *realm;
	json_t *array;
};

static void status_add(void *context, const struct rg_directory_server *server)
{
	static const char *const states[] = {
		[RG_DIRECTORY_UNKNOWN] = "unknown",
		[RG_DIRECTORY_UP] = "up",
		[RG_DIRECTORY_DOWN] = "down",
	};
	struct status_list *list = context;
	char since[32], why[512];
	text_time(since, (uint64_t)server->since * RG_SECOND);
	text_escape(why, sizeof(why), span_text(server->why));
	json_array_append_new(list->array,
			      json_pack("{s:s, s:s, s:s, s:s, s:s}", "realm", list->realm, "uri",
					server->uri, "state", states[server->state], "why", why,
					"since", since));
}

void directory_status_json(struct rg_directory *directory, const char *realm, struct json_t *array)
{
	struct status_list list = {realm, array};
	directory->module->ops.directory->status(directory->handle, status_add, &list);
}
