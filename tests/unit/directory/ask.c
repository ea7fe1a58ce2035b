/* Asks a directory module, as a worker would, what stands on its input, and prints what it answers.
 *
 * ask MODULE KEY=VALUE…   keys of a group as GROUP.KEY, lists as repeated keys, secrets as text
 * Lines on stdin, fields separated by tabs:
 *   ask ID IDENTITY DEADLINE_MS [group=NAME]… [certificate=FILE] [password=TEXT] [cancel=1]
 *       [mschapv2=TEXT], where the answer has to hold the hash of that password's hash
 *   status | wait (for all answers) | quit
 * Output, a line of JSON each: {"id","outcome","detail","member":[…],"ms"}, {"status":[…]},
 * {"waited"} */
#include <dlfcn.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/secret.h"
#include "directory/broker.h"
#include "directory/keep.h"
#include "directory/nt_hash.h"

#define FIELDS_MOST 64

struct asked {
	char id[64];
	uint64_t at_ns;
	struct rg_inquiry *inquiry;
	char password[256]; /* MSCHAPv2 */
};

struct command {
	struct rg_message message;
	char *fields[FIELDS_MOST];
	size_t count;
	char line[16384];
};

static uv_loop_t loop;
static struct rg_mailbox mailbox;
static struct rg_directory *directory;
static unsigned open_questions;
static bool waiting, quitting;

static void set_text(const struct rg_row *row, uint8_t *settings, const char *text)
{
	void *field = settings + row->offset;
	struct rg_strings *strings = field;
	struct rg_choices *choices = field;
	switch (row->type) {
	case RG_STRING:
	case RG_FILE:
	case RG_PATH:
		free(*(char **)field); /* the fallback */
		*(const char **)field = strdup(text);
		break;
	case RG_INTEGER:
		*(int64_t *)field = atoll(text);
		break;
	case RG_BOOLEAN:
		*(bool *)field = strcmp(text, "true") == 0;
		break;
	case RG_CHOICE:
		for (int i = 0; row->choices[i]; i++)
			if (strcmp(row->choices[i], text) == 0)
				*(int *)field = i;
		break;
	case RG_STRINGS:
		strings->items =
			realloc((void *)strings->items, (strings->count + 1) * sizeof(char *));
		((const char **)strings->items)[strings->count++] = strdup(text);
		break;
	case RG_SECRET:
		*(struct rg_secret **)field = secret_new(text, strlen(text));
		break;
	case RG_CHOICES:
		choices->items =
			realloc((void *)choices->items, (choices->count + 1) * sizeof(int));
		for (int i = 0; row->choices[i]; i++)
			if (strcmp(row->choices[i], text) == 0)
				((int *)choices->items)[choices->count++] = i;
		break;
	case RG_GROUP:
	case RG_LIST:
		break;
	}
}

static void set_fallbacks(const struct rg_row *rows, uint8_t *settings)
{
	for (const struct rg_row *row = rows; row->name; row++) {
		if (row->type == RG_GROUP)
			set_fallbacks(row->rows, settings + row->offset);
		else if (row->fallback)
			set_text(row, settings, row->fallback);
	}
}

static bool set_key(const struct rg_row *rows, uint8_t *settings, const char *key,
		    const char *value)
{
	const char *dot = strchr(key, '.');
	size_t length = dot ? (size_t)(dot - key) : strlen(key);
	for (const struct rg_row *row = rows; row->name; row++) {
		if (strlen(row->name) != length || strncmp(row->name, key, length) != 0)
			continue;
		if (row->type != RG_GROUP) {
			set_text(row, settings, value);
			return true;
		}
		if (row->present)
			*(bool *)(settings + row->present) = true;
		return set_key(row->rows, settings + row->offset, dot + 1, value);
	}
	return false;
}

static const char *const outcomes[] = {
	[RG_OUTCOME_FOUND] = "found",
	[RG_OUTCOME_NO_ENTRY] = "no-entry",
	[RG_OUTCOME_AMBIGUOUS] = "ambiguous",
	[RG_OUTCOME_DISABLED] = "disabled",
	[RG_OUTCOME_WRONG_SECRET] = "wrong-secret",
	[RG_OUTCOME_PASSWORD_EXPIRED] = "password-expired",
	[RG_OUTCOME_MUST_CHANGE] = "must-change",
	[RG_OUTCOME_LOCKED] = "locked",
	[RG_OUTCOME_OTHER_CERTIFICATE] = "other-certificate",
	[RG_OUTCOME_UNAVAILABLE] = "unavailable",
};

static void print(json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);
	puts(text ? text : "{}");
	fflush(stdout);
	free(text);
	json_decref(object);
}

static void print_waited(void)
{
	if (!waiting || open_questions > 0)
		return;
	waiting = false;
	print(json_pack("{s:b}", "waited", 1));
}

/* What the laptop would send for the challenge. */
static void respond(const char *password, struct rg_ask *ask)
{
	uint8_t hash[RG_NT_HASH];
	struct rg_nt_digests *digests = nt_digests_new();
	arc4random_buf(ask->challenge, sizeof(ask->challenge));
	ask->kind = RG_ASK_MSCHAPV2;
	ask->mschap_name = ask->identity;
	if (!digests || !nt_hash_make(digests, span_text(password), hash) ||
	    !nt_response_make(digests, ask->challenge, hash, ask->nt_response))
		abort();
	nt_digests_free(&digests);
}

/* Verifying the response once more, here, gives the same hash of the hash. */
static bool same_hash_hash(const struct asked *asked, const struct rg_question *answer)
{
	uint8_t hash[RG_NT_HASH];
	struct rg_question again = *answer;
	struct rg_nt_digests *digests = nt_digests_new();
	bool same = digests && nt_hash_make(digests, span_text(asked->password), hash) &&
		    nt_hash_verify(digests, hash, &again) == RG_OUTCOME_FOUND &&
		    memcmp(again.hash_hash, answer->hash_hash, sizeof(again.hash_hash)) == 0;
	nt_digests_free(&digests);
	return same;
}

static void on_answer(void *asker, const struct rg_question *answer)
{
	struct asked *asked = asker;
	json_t *member = json_array();
	for (size_t i = 0; i < answer->group_count; i++)
		json_array_append_new(member, json_boolean(answer->member[i]));
	const char *outcome = outcomes[answer->outcome];
	if (answer->kind == RG_ASK_MSCHAPV2 && answer->outcome == RG_OUTCOME_FOUND &&
	    !same_hash_hash(asked, answer))
		outcome = "wrong-hash-hash";
	print(json_pack("{s:s, s:s, s:s, s:s, s:o, s:f}", "id", asked->id, "outcome", outcome,
			"detail", answer->detail, "canonical", answer->canonical, "member", member,
			"ms", (double)(clock_now() - asked->at_ns) / 1e6));
	free(asked);
	open_questions--;
	print_waited();
	if (quitting && open_questions == 0)
		mailbox_close(&mailbox);
}

static struct rg_span read_file(const char *path)
{
	static uint8_t data[65536];
	FILE *file = fopen(path, "rb");
	size_t length = file ? fread(data, 1, sizeof(data), file) : 0;
	if (file)
		fclose(file);
	return span_of(data, length);
}

static void run_ask(struct command *command)
{
	char *identity = command->fields[2];
	char user[8192];
	const char *name = strncmp(identity, "host/", 5) == 0 ? identity + 5 : identity;
	snprintf(user, sizeof(user), "%.*s", (int)strcspn(name, name == identity ? "@" : "."),
		 name);
	const char *at = strchr(identity, '@');
	const char *groups[FIELDS_MOST];
	bool cancel = false;
	struct asked *asked = calloc(1, sizeof(*asked));
	struct rg_ask ask = {
		.kind = RG_ASK_IDENTITY,
		.identity = identity,
		.user = user,
		.realm = at ? at + 1 : "",
		.host = name == identity ? "" : name,
		.groups = groups,
		.deadline_ns = clock_now() + (uint64_t)atoll(command->fields[3]) * RG_MS,
	};
	for (size_t i = 4; i < command->count; i++) {
		char *value = strchr(command->fields[i], '=') + 1;
		switch (command->fields[i][0]) {
		case 'g':
			groups[ask.group_count++] = value;
			break;
		case 'm':
			respond(value, &ask);
			snprintf(asked->password, sizeof(asked->password), "%s", value);
			break;
		case 'p':
			ask.kind = RG_ASK_PASSWORD;
			ask.password = span_text(value);
			break;
		default:
			if (strncmp(command->fields[i], "cancel", 6) == 0)
				cancel = true;
			else
				ask.certificate = read_file(value);
		}
	}
	snprintf(asked->id, sizeof(asked->id), "%s", command->fields[1]);
	asked->at_ns = clock_now();
	asked->inquiry = directory_ask(directory, &ask, &mailbox, on_answer, asked);
	if (!asked->inquiry) {
		print(json_pack("{s:s, s:s}", "id", asked->id, "outcome", "queue-full"));
		free(asked);
		return;
	}
	if (cancel) {
		inquiry_cancel(&asked->inquiry);
		free(asked);
		return;
	}
	open_questions++;
}

static void run_command(struct rg_message *message, void *owner, bool closing)
{
	struct command *command = (struct command *)message;
	(void)owner;
	if (closing || command->count == 0)
		goto out;
	if (strcmp(command->fields[0], "ask") == 0 && command->count >= 4) {
		run_ask(command);
	} else if (strcmp(command->fields[0], "status") == 0) {
		json_t *array = json_array();
		directory_status_json(directory, "test.example", array);
		print(json_pack("{s:o}", "status", array));
	} else if (strcmp(command->fields[0], "wait") == 0) {
		waiting = true;
		print_waited();
	} else if (strcmp(command->fields[0], "quit") == 0) {
		quitting = true;
		directory_unref(&directory); /* answers all that is open */
		if (open_questions == 0)
			mailbox_close(&mailbox);
	}
out:
	free(command);
}

static void *read_commands(void *unused)
{
	(void)unused;
	bool quit = false;
	while (!quit) {
		struct command *command = calloc(1, sizeof(*command));
		if (!command)
			abort();
		command->message.deliver = run_command;
		quit = !fgets(command->line, sizeof(command->line), stdin);
		if (quit)
			strcpy(command->line, "quit\n");
		char *rest = command->line, *field;
		while ((field = strsep(&rest, "\t\n")) && *field && command->count < FIELDS_MOST)
			command->fields[command->count++] = field;
		quit |= command->count > 0 && strcmp(command->fields[0], "quit") == 0;
		mailbox_post(&mailbox, &command->message);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 77; /* skipped: it is run by tests/interop/test_directory.py */
	void *library = dlopen(argv[1], RTLD_NOW);
	const struct rg_module *module = library ? dlsym(library, "roamgate_module") : NULL;
	if (!module) {
		fprintf(stderr, "ask: %s\n", dlerror());
		return 1;
	}
	uint8_t *settings = calloc(1, module->settings_size);
	if (!settings)
		return 1;
	set_fallbacks(module->settings, settings);
	for (int i = 2; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		*value++ = 0;
		if (!set_key(module->settings, settings, argv[i], value)) {
			fprintf(stderr, "ask: no key %s\n", argv[i]);
			return 1;
		}
	}
	struct rg_realm realm = {
		.name = "test.example",
		.directory = {.module = module, .settings = settings, .digest = "x"}};
	uv_loop_init(&loop);
	mailbox_init(&mailbox, &loop, NULL);
	directory = directory_get(&realm);
	settings_drop(module->settings, (void **)&settings);
	pthread_t reader;
	if (!directory || pthread_create(&reader, NULL, read_commands, NULL) != 0)
		return 1;
	uv_run(&loop, UV_RUN_DEFAULT);
	pthread_join(reader, NULL);
	mailbox_destroy(&mailbox);
	uv_loop_close(&loop);
	return 0;
}
