#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libconfig.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"
#include "command/options.h"
#include "command/realm.h"
#include "config/raddb.h"
#include "core/text.h"
#include "route/nai.h"

const char realm_add_synopsis[] =
	"realm add NAME [--operator NAME] [--type TYPE] [--directory-uri URI] [--base DN] "
	"[--bind-dn DN] [-c FILE] [--json]";
static const char about[] =
	"Writes realms.d/NAME.cfg for a new municipality, with what is usual, and says what is left to do.\n"
	"A file that is there already is left alone.";

struct plan {
	const char *name;     /* the realm, lower case */
	const char *operator; /* its label: names of files follow it */
	const char *type, *uri, *base, *bind_dn, *server_name;
	const char *main_file, *dir;
	struct rg_arena arena;
	char *path; /* of the new file */
};

/* dc=beuningen,dc=nl of beuningen.nl. */
static char *suffix_of(struct rg_arena *arena, const char *name)
{
	char *suffix = arena_text(arena, "");
	while (*name) {
		size_t length = strcspn(name, ".");
		suffix = arena_format(arena, "%s%sdc=%.*s", suffix, *suffix ? "," : "", (int)length, name);
		name += length + (name[length] == '.');
	}
	return suffix;
}

/* As a libconfig string, quotes included. */
static void print_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20)
			fprintf(out, "\\x%02x", (unsigned char)*text);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void print_key(FILE *out, const char *key, const char *value, const char *comment)
{
	fprintf(out, "      %s = ", key);
	print_string(out, value);
	fprintf(out, ";%s%s\n", *comment ? "   // " : "", comment);
}

static bool is_windows(const struct plan *plan)
{
	return strcmp(plan->type, "ad") == 0 || strcmp(plan->type, "winbind") == 0;
}

static void print_directory(FILE *out, const struct plan *plan)
{
	struct rg_arena arena = {0};
	bool file = strcmp(plan->type, "ldif") == 0;
	fprintf(out, "    directory = {\n");
	print_key(out, "type", plan->type, "");
	if (file) {
		print_key(out, "file", arena_format(&arena, "directory/%s.ldif", plan->operator), "");
	} else {
		fprintf(out, "      uris = [ ");
		print_string(out, plan->uri);
		fprintf(out, " ];\n");
		print_key(out, "ca", arena_format(&arena, "certs/%s/ldap-ca.pem", plan->operator),
			  "who vouches for the directory's name");
		print_key(out, "bind_dn", plan->bind_dn, "");
		print_key(out, "bind_password_file", arena_format(&arena, "secrets/%s-ldap", plan->operator),
			  "");
	}
	print_key(out, "base", plan->base, "");
	/* The others know by themselves where groups stand. */
	if (file || strcmp(plan->type, "ldap") == 0)
		fprintf(out, "      groups = { attribute = \"memberOf\"; };\n");
	fprintf(out, "    };\n");
	arena_free(&arena);
}

static void print_file(FILE *out, const struct plan *plan)
{
	struct rg_arena arena = {0};
	fprintf(out, "// %s: its staff sign in here. raddb/README.md explains every key.\n", plan->name);
	fprintf(out, "realms = (\n  { names = [ \"%s\", \"*.%s\" ];\n    operator = ", plan->name, plan->name);
	print_string(out, plan->operator);
	fprintf(out, ";\n    eap = {\n      methods = [ \"tls\"%s ];\n",
		strcmp(plan->type, "winbind") == 0 ? ", \"peap\"" : "");
	const char *const files[][2] = {{"certificate", "server.pem"},
					{"private_key", "server.key"},
					{"client_ca", "client-ca.pem"},
					{"crl", "client-ca.crl"}};
	for (size_t i = 0; i < 4; i++)
		print_key(out, files[i][0],
			  arena_format(&arena, "certs/%s/%s", plan->operator, files[i][1]), "");
	fprintf(out, "    };\n");
	print_directory(out, plan);
	fprintf(out, "    authorize = (                    // first match wins; no match refuses\n"
		     "      // { group = \"cn=geen-wifi,%s,%s\"; deny = true; },\n"
		     "      // { home = true; reply = [ \"Tunnel-Type = VLAN\", \"Tunnel-Medium-Type = IEEE-802\",\n"
		     "      //                          \"Tunnel-Private-Group-Id = 100\" ]; },\n"
		     "      { }                            // anyone in the directory, anywhere\n"
		     "    );\n  }\n);\n",
		is_windows(plan) ? "cn=users" : "ou=groups", suffix_of(&arena, plan->name));
	arena_free(&arena);
}

/* False: errno. The name must be new: O_EXCL. */
static bool file_write(struct plan *plan)
{
	char *directory = arena_format(&plan->arena, "%s/realms.d", plan->dir);
	plan->path = arena_format(&plan->arena, "%s/%s.cfg", directory, plan->name);
	if (mkdir(directory, 0755) != 0 && errno != EEXIST)
		return false;
	int fd = open(plan->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!out)
		return false;
	print_file(out, plan);
	bool fine = fflush(out) == 0 && fsync(fileno(out)) == 0;
	int saved = errno;
	fclose(out);
	if (!fine)
		unlink(plan->path);
	errno = saved;
	return fine;
}

/* gateway.user as the raddb's main file says; "": the gateway runs as whoever starts it. */
static const char *gateway_user(struct plan *plan)
{
	config_t config;
	const char *user = "roamgate";
	config_init(&config);
	config_set_include_dir(&config, plan->dir);
	if (config_read_file(&config, plan->main_file) == CONFIG_TRUE)
		config_lookup_string(&config, "gateway.user", &user);
	user = arena_text(&plan->arena, user);
	config_destroy(&config);
	return user;
}

static json_t *left_to_do(struct plan *plan)
{
	json_t *steps = json_array();
	struct rg_arena *arena = &plan->arena;
	const char *list[6] = {0}, *user = gateway_user(plan);
	bool ldif = strcmp(plan->type, "ldif") == 0;
	size_t count = 0;
	list[count++] = arena_format(arena, "roamgate-certs realm %s --server-name %s --out %s/certs",
				     plan->operator, plan->server_name, plan->dir);
	if (ldif) {
		list[count++] = arena_format(arena, "put its people into %s/directory/%s.ldif", plan->dir,
					     plan->operator);
	} else {
		list[count++] = arena_format(arena, "put the CA of its directory into %s/certs/%s/ldap-ca.pem",
					     plan->dir, plan->operator);
		list[count++] = arena_format(arena,
					     "put the password of %s into %s/secrets/%s-ldap (chmod 600)",
					     plan->bind_dn, plan->dir, plan->operator);
	}
	if (*user && ldif)
		list[count++] = arena_format(arena, "chown %s %s/certs/%s/server.key", user, plan->dir,
					     plan->operator);
	else if (*user)
		list[count++] = arena_format(arena, "chown %s %s/certs/%s/server.key %s/secrets/%s-ldap", user,
					     plan->dir, plan->operator, plan->dir, plan->operator);
	list[count++] = arena_format(arena, "roamgate check -c %s", plan->main_file);
	list[count++] = arena_format(arena, "roamgate reload -c %s", plan->main_file);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(steps, json_string(list[i]));
	return steps;
}

static void print_outcome(struct plan *plan, bool as_json)
{
	json_t *steps = left_to_do(plan), *step;
	size_t i;
	if (as_json) {
		json_t *object = json_pack("{s:s, s:s, s:O}", "name", plan->name, "file", plan->path,
					   "left_to_do", steps);
		json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		putchar('\n');
		json_decref(object);
	} else {
		printf("wrote %s\nleft to do:\n", plan->path);
		json_array_foreach(steps, i, step)
			printf("  %zu. %s\n", i + 1, json_string_value(step));
	}
	json_decref(steps);
}

static bool label_is_plain(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
	return length != 0 && text[length] == '\0' && text[0] != '.' && text[0] != '-';
}

/* What was not said, from the realm's name. */
static void plan_complete(struct plan *plan, const struct rg_options *options)
{
	struct rg_arena *arena = &plan->arena;
	char *lower = arena_text(arena, options->operands[1]);
	text_lower(lower);
	plan->name = lower;
	plan->main_file = options->file;
	plan->dir = dirname(arena_text(arena, options->file));
	if (!plan->operator)
		plan->operator= arena_format(arena, "%.*s", (int)strcspn(lower, "."), lower);
	if (!plan->type)
		plan->type = "ldap";
	if (!plan->uri)
		plan->uri = arena_format(arena, "ldaps://ldap.%s", lower);
	if (!plan->base)
		plan->base = arena_format(arena, "%s%s", is_windows(plan) ? "" : "ou=people,",
					  suffix_of(arena, lower));
	if (!plan->bind_dn && is_windows(plan))
		plan->bind_dn = arena_format(arena, "roamgate@%s", lower);
	if (!plan->bind_dn)
		plan->bind_dn = arena_format(arena, "cn=roamgate,%s", suffix_of(arena, lower));
	if (!plan->server_name)
		plan->server_name = arena_format(arena, "radius.%s", lower);
}

/* Where a realm or route has the name already; "": nowhere, or the raddb has errors of its own. */
static char *name_taken(struct plan *plan)
{
	struct rg_report report = {0};
	char *taken = arena_text(&plan->arena, "");
	struct rg_raddb *raddb = raddb_load(plan->main_file, &report);
	for (size_t i = 0; raddb && i < raddb->realm_count; i++)
		for (size_t j = 0; j < raddb->realms[i].names.count; j++)
			if (strcmp(raddb->realms[i].names.items[j], plan->name) == 0)
				taken = arena_format(&plan->arena, "%s:%u", raddb->realms[i].where.file,
						     raddb->realms[i].where.line);
	raddb_free(&raddb);
	report_free(&report);
	return taken;
}

int realm_add(int argc, char **argv)
{
	static const char *const types[] = {"ldap", "ldif", "ad", "winbind", "openldap", "freeipa", NULL};
	struct plan plan = {0};
	struct rg_options options;
	const struct rg_option own[] = {
		{"operator", "NAME", &plan.operator, NULL, "whose people these are (the realm's first label)"},
		{"type", "TYPE", &plan.type, NULL, "of its directory: ldap (default), ldif, ad, winbind, openldap, freeipa"},
		{"directory-uri", "URI", &plan.uri, NULL, "of its directory (ldaps://ldap.NAME)"},
		{"base", "DN", &plan.base, NULL, "where its people stand (ou=people,dc=…; of a domain all of it)"},
		{"bind-dn", "DN", &plan.bind_dn, NULL, "whom to search as (cn=roamgate,dc=…; of a domain roamgate@NAME)"},
		{"server-name", "NAME", &plan.server_name, NULL, "in the certificate (radius.NAME)"},
		{0},
	};
	int status = options_parse(&options, argc, argv, realm_add_synopsis, about, own);
	if (status != RG_OPTIONS_FINE)
		return status;
	if (options.count != 2)
		return usage_error("realm", "add takes one NAME");
	enum rg_nai_fault fault = realm_check(span_text(options.operands[1]));
	if (fault != RG_NAI_OK)
		return usage_error("realm", "%s is no realm: %s", options.operands[1], nai_fault_text(fault));
	plan_complete(&plan, &options);
	const char *const *type = types;
	while (*type && strcmp(*type, plan.type) != 0)
		type++;
	status = RG_EXIT_FINE;
	if (!*type)
		status = usage_error("realm", "there is no directory type %s", plan.type);
	else if (!label_is_plain(plan.operator))
		status = usage_error("realm", "%s is no operator: letters, digits, - _ .", plan.operator);
	else if (*name_taken(&plan)) {
		fprintf(stderr, "roamgate realm: %s is there already: %s\n", plan.name, name_taken(&plan));
		status = RG_EXIT_NOT_RUNNING;
	} else if (!file_write(&plan)) {
		fprintf(stderr, "roamgate realm: %s: %s\n", plan.path, strerror(errno));
		status = RG_EXIT_NOT_RUNNING;
	} else {
		print_outcome(&plan, options.json);
	}
	arena_free(&plan.arena);
	return status;
}
