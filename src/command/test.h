/* What the files of `roamgate test` share: what was asked, whom it goes to, how it went. */
#ifndef RG_COMMAND_TEST_H
#define RG_COMMAND_TEST_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "command/options.h"
#include "config/raddb.h"
#include "radius/key.h"
#include "supplicant/supplicant.h"

struct json_t;

struct rg_test {
	const char *identity, *outer;
	const char *certificate, *key, *password_file, *ca, *server_name, *method, *inner, *tls;
	const char *server, *secret_file, *called, *mac_text, *repeat_text, *timeout_text;
	char mac[18], shown[1024]; /* shown: identity, escaped */
	bool resume;
	struct rg_secret *password; /* of password_file; NULL: none */
	unsigned repeat;
	uint64_t timeout_ns; /* longest wait for one answer */
};

/* Where the requests go. */
struct rg_test_target {
	struct sockaddr_storage address;
	socklen_t address_length;
	char text[80]; /* "127.0.0.1:1812" */
	const struct rg_radius_key *key;
	const char *client;     /* as which client of the raddb; NULL: the server was named */
	const char *ssid;       /* one that this client serves; NULL: any */
	const char *control;    /* of the gateway asked; NULL: unknown */
	struct rg_raddb *raddb; /* what key, client and ssid belong to, or NULL */
	struct rg_radius_key *own_key;
};

/* Fills target from --server, or from the raddb. RG_EXIT_FINE, or the status to exit with after a
 * message on stderr. Close it in any case. */
int test_target_open(struct rg_test_target *, const struct rg_test *, const char *raddb_file);
void test_target_close(struct rg_test_target *);

/* How one sign-in went. */
struct rg_test_run {
	bool answered;
	enum rg_supplicant_state state;
	uint64_t began_ns, began_wall_ns, ns;
	unsigned repeats;    /* datagrams sent again */
	const char *silence; /* why there was no answer */
	const struct rg_supplicant_report *report;
	unsigned number;     /* from 1 */
	struct json_t *seen; /* the gateway's own record of it, as trace has it; NULL: none */
};

/* One exchange that is over, for whoever shows steps. */
struct rg_test_step {
	unsigned number;
	uint8_t code; /* of the reply; 0: none came */
	size_t sent, received;
	unsigned repeats;
	uint64_t ns;
	const char *stage;
};
typedef void test_step(void *context, const struct rg_test_step *);

/* Signs in once over a socket of its own, with RFC 5080's retransmission. False, with a message on
 * stderr: no socket. */
bool test_exchange(struct rg_test_run *, const struct rg_test_target *, struct rg_supplicant *,
		   uint64_t timeout_ns, test_step *each, void *context);

/* The gateway's own record of a sign-in that was not accepted; NULL: it has none, or is not asked.
 * The caller owns it. */
struct json_t *test_trace(const struct rg_test *, const struct rg_test_target *,
			  const struct rg_test_run *);

void test_print_begin(const struct rg_test *, const struct rg_test_target *, unsigned number);
void test_print_step(void *context, const struct rg_test_step *);
void test_print_run(const struct rg_test *, const struct rg_test_run *);
/* One sign-in as an object; the caller owns it. */
struct json_t *test_json(const struct rg_test *, const struct rg_test_target *,
			 const struct rg_test_run *);
int test_status(const struct rg_test_run *); /* RG_EXIT_… */
#endif
