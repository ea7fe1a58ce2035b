/* What the files of `roamgate load` share. */
#ifndef RG_COMMAND_LOAD_H
#define RG_COMMAND_LOAD_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "load/load.h"

struct json_t;

/* As it was typed; NULL: not given. */
struct rg_load_options {
	const char *server, *secret_file, *proxy, *certificate, *key, *ca, *server_name, *tls;
	const char *identity, *called, *password_file, *inner, *inner_identity;
	const char *method; /* "tls", "ttls", "peap" */
	const char *identities_text, *outstanding_text, *ports_text, *rate_text, *seconds_text,
		*count_text, *timeout_text, *warm_up_text, *pid_text, *abandon_text;
	const char *listen, *delay_text, *loss_text;
	bool eap_tls, eap_ttls, eap_peap, resume, sink, accept, reject;
};

/* What is to be done, all settled. */
struct rg_load_plan {
	struct rg_load_settings settings;
	struct sockaddr_storage address;
	socklen_t address_length;
	char text[80]; /* the server's address */
	struct rg_radius_key *key;
	char pattern[300];
	const char *kind; /* "proxy", "eap-tls" */
	char kind_text[16];
	struct rg_visitor_settings visitor;
	struct rg_laptop_settings laptop;
};

/* An option that is a number; text NULL: not given, and *value stays. */
struct rg_load_number {
	const char *option, *text;
	double least, most, *value;
	bool whole;
};

/* RG_EXIT_FINE, or the status to exit with after a message on stderr. */
int load_numbers(const struct rg_load_number *, size_t count);
/* Judges the options together and fills what was not given. As above; close it in any case. */
int load_plan(struct rg_load_plan *, const struct rg_load_options *, const atomic_int *stop);
void load_plan_close(struct rg_load_plan *);

void load_print(const struct rg_load_plan *, const struct rg_load_tally *);
/* The caller owns it. */
struct json_t *load_json(const struct rg_load_plan *, const struct rg_load_tally *);
#endif
