/* Handshakes: who is let in, who is not and why, and for how long. */
#include <openssl/err.h>
#include <string.h>

#include "core/secret.h"
#include "scene.h"

static struct scene scene;

static int begin_tls(void **state)
{
	(void)state;
	scene_begin(&scene, RG_TRANSPORT_TLS);
	return 0;
}

static int begin_dtls(void **state)
{
	(void)state;
	scene_begin(&scene, RG_TRANSPORT_DTLS);
	return 0;
}

static int end(void **state)
{
	(void)state;
	scene_end(&scene);
	return 0;
}

static void meet_and_talk(const char *version)
{
	scene_open(&scene);
	scene.inside[0].echo = true;
	scene_meet(&scene);
	assert_string_equal(scene.inside[0].peer.tls, version);
	assert_string_equal(scene.outside.peer.tls, version);
	assert_true(end_says(&scene.outside, 7, 100));
	assert_true(scene_until(&scene, scene.outside.packets == 1));
	assert_int_equal(scene.outside.last_length, 100);
	assert_int_equal(scene.outside.last[1], 7);
}

static void test_tls_1_3(void **state)
{
	(void)state;
	meet_and_talk("1.3");
	assert_string_equal(scene.inside[0].subject, "CN=caller");
	assert_string_equal(scene.outside.subject, "CN=gate");
	assert_true(scene.outside.peer.not_after > time(NULL));
	assert_null(scene.outside.peer.psk_identity);
	assert_int_equal(scene.outside.peer.version, RG_RADIUS_1_1);
	assert_int_equal(scene.inside[0].peer.version, RG_RADIUS_1_1);
}

static void test_tls_1_2(void **state)
{
	(void)state;
	scene.theirs.tls_max = RG_TLS_1_2;
	meet_and_talk("1.2");
	/* RFC 9765: RADIUS/1.1 wants TLS 1.3. */
	assert_int_equal(scene.outside.peer.version, RG_RADIUS_1_0);
	assert_int_equal(scene.inside[0].peer.version, RG_RADIUS_1_0);
}

static void test_dtls(void **state)
{
	(void)state;
	meet_and_talk("1.2");
	assert_int_equal(scene.outside.peer.version, RG_RADIUS_1_0);
}

static void test_a_name_is_looked_up(void **state)
{
	(void)state;
	scene.dial.host = "localhost";
	meet_and_talk("1.3");
}

static void test_nobody_listens(void **state)
{
	(void)state;
	scene.dial.port = 1;
	scene_dial(&scene);
	assert_true(scene_until(&scene, scene.outside.ended));
	assert_int_equal(scene.outside.how, RG_CONNECTION_UNREACHABLE);
	assert_int_equal(scene.outside.established, 0);
}

static void test_no_such_name(void **state)
{
	(void)state;
	scene.dial.host = "no such name";
	scene_dial(&scene);
	assert_true(scene_until(&scene, scene.outside.ended));
	assert_int_equal(scene.outside.how, RG_CONNECTION_UNREACHABLE);
	assert_non_null(strstr(scene.outside.detail, "cannot be looked up"));
}

static void test_it_may_be_ended_while_a_name_is_looked_up(void **state)
{
	(void)state;
	scene.dial.host = "localhost";
	scene_dial(&scene);
	connection_end(scene.outside.connection, RG_CONNECTION_OURS, "never mind");
	scene_turn(&scene);
	assert_int_equal(scene.outside.ended, 1);
	scene_settle(&scene);
}

static void test_the_next_address_where_one_refuses(void **state)
{
	(void)state;
	scene_open(&scene);
	union rg_address two[2] = {{.v4 = scene.address}, {.v4 = scene.address}};
	two[0].v4.sin_port = htons(1);
	scene.dial.addresses = two;
	scene.dial.address_count = 2;
	scene_meet(&scene);
}

/* A socket that listens, and whose queue is full: nobody answers a SYN there. */
static void test_the_next_address_where_one_is_silent(void **state)
{
	(void)state;
	scene_open(&scene);
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(any);
	int deaf = socket(AF_INET, SOCK_STREAM, 0);
	int fill[4];
	assert_int_equal(bind(deaf, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(deaf, 0), 0);
	getsockname(deaf, (struct sockaddr *)&any, &length);
	for (int i = 0; i < 4; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fill[i], (struct sockaddr *)&any, sizeof(any));
	}
	union rg_address two[2] = {{.v4 = any}, {.v4 = scene.address}};
	scene.dial.addresses = two;
	scene.dial.address_count = 2;
	scene_dial(&scene);
	scene_settle(&scene);
	assert_int_equal(scene.arrived, 0);
	assert_int_equal(connection_peer(scene.outside.connection)->address.v4.sin_port, any.sin_port);
	scene_pass(&scene, 4 * RG_SECOND);
	assert_int_equal(connection_peer(scene.outside.connection)->address.v4.sin_port,
			 scene.address.sin_port);
	assert_true(scene_until(&scene, scene.outside.established));
	for (int i = 0; i < 4; i++)
		close(fill[i]);
	close(deaf);
}

/* One that takes the connection and cuts it before a word of TLS. */
static void test_the_next_address_where_a_handshake_is_cut(void **state)
{
	(void)state;
	scene_open(&scene);
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(any);
	int rude = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), taken = -1;
	assert_int_equal(bind(rude, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(rude, 1), 0);
	getsockname(rude, (struct sockaddr *)&any, &length);
	union rg_address two[2] = {{.v4 = any}, {.v4 = scene.address}};
	scene.dial.addresses = two;
	scene.dial.address_count = 2;
	scene_dial(&scene);
	assert_true(scene_until(&scene, (taken = accept(rude, NULL, NULL)) >= 0));
	close(taken);
	assert_true(scene_until(&scene, scene.outside.established));
	close(rude);
}

/* Neither side is let in; both say why. */
static void neither(enum rg_connection_end how, const char *inside, const char *outside)
{
	scene_open(&scene);
	scene_dial(&scene);
	assert_true(scene_until(&scene, scene.outside.ended && scene.inside[0].ended));
	assert_int_equal(scene.inside[0].established, 0);
	assert_int_equal(scene.inside[0].how, how);
	if (!strstr(scene.inside[0].detail, inside) || !strstr(scene.outside.detail, outside))
		fail_msg("inside: %s; outside: %s", scene.inside[0].detail, scene.outside.detail);
}

static void test_a_caller_of_another_ca(void **state)
{
	(void)state;
	scene_certificate(&scene, &scene.theirs,
			  &(struct pki_want){.cn = "caller", .issuer = &scene.other_ca});
	neither(RG_CONNECTION_TLS, "unable to get local issuer certificate", "unknown CA");
}

static void test_a_port_of_another_ca(void **state)
{
	(void)state;
	scene_certificate(&scene, &scene.ours,
			  &(struct pki_want){.cn = "gate", .issuer = &scene.other_ca});
	neither(RG_CONNECTION_TLS, "unknown CA", "unable to get local issuer certificate");
	assert_int_equal(scene.outside.established, 0);
}

static void test_a_caller_whose_certificate_has_expired(void **state)
{
	(void)state;
	scene_certificate(&scene, &scene.theirs,
			  &(struct pki_want){.cn = "caller", .from_s = -86400, .to_s = -60});
	neither(RG_CONNECTION_TLS, "its certificate: certificate has expired", "expired");
}

static void test_a_caller_with_a_servers_purpose_alone(void **state)
{
	(void)state;
	scene_certificate(&scene, &scene.theirs,
			  &(struct pki_want){.cn = "caller", .usage = "serverAuth"});
	neither(RG_CONNECTION_TLS, "certificate", "");
}

static void test_a_caller_without_certificate(void **state)
{
	(void)state;
	scene_open(&scene);
	struct stranger stranger = stranger_call(&scene);
	assert_false(stranger_shake(&scene, &stranger, NULL));
	assert_int_equal(scene.inside[0].how, RG_CONNECTION_TLS);
	assert_non_null(strstr(scene.inside[0].detail, "did not return a certificate"));
	stranger_leave(&stranger);
}

static void test_T4_a_caller_that_is_revoked(void **state)
{
	(void)state;
	X509 *revoked = scene_leaf(&scene.theirs);
	scene_crl(&scene, revoked, 3600);
	neither(RG_CONNECTION_TLS, "certificate revoked", "revoked");
	X509_free(revoked);
}

static void test_a_crl_that_has_ended_refuses_everyone(void **state)
{
	(void)state;
	scene_crl(&scene, NULL, -60);
	neither(RG_CONNECTION_TLS, "CRL has expired", "");
}

static void test_a_crl_lets_others_in(void **state)
{
	(void)state;
	X509 *revoked = scene_leaf(&scene.ours);
	scene_crl(&scene, revoked, 3600);
	meet_and_talk("1.3");
	X509_free(revoked);
}

static void certified_as(const char *cn, const char *san, const char *name, bool good)
{
	const char *list[] = {name};
	const struct rg_strings names = {list, 1};
	scene_certificate(&scene, &scene.theirs, &(struct pki_want){.cn = cn, .san = san});
	scene_open(&scene);
	scene.inside[0].names = &names;
	scene_dial(&scene);
	assert_true(scene_until(&scene, scene.inside[0].established));
	scene_turn(&scene);
	assert_int_equal(scene.inside[0].ended, !good);
	if (!good) {
		assert_int_equal(scene.inside[0].how, RG_CONNECTION_TLS);
		assert_string_equal(scene.inside[0].detail, "none of its names");
		assert_true(scene_until(&scene, scene.outside.ended));
		assert_int_equal(scene.outside.how, RG_CONNECTION_CLOSED);
	}
}

static void test_its_name_is_that_of_the_san(void **state)
{
	(void)state;
	certified_as("whatever", "DNS:peer.example", "peer.example", true);
}

static void test_its_cn_is_no_name(void **state)
{
	(void)state;
	certified_as("peer.example", NULL, "peer.example", false);
}

/* TLS-PSK. */

static struct rg_secret *new_key(const char *text)
{
	return secret_new(text, strlen(text));
}

static void by_key(enum rg_tls_version most, const char *version)
{
	struct rg_secret *key = new_key("0123456789abcdef0123456789abcdef");
	scene.identity = "site-1";
	scene.key = key;
	scene.dial.psk_identity = "site-1";
	scene.dial.psk = key;
	scene.theirs.tls_max = most;
	meet_and_talk(version);
	assert_string_equal(scene.inside[0].identity, "site-1");
	assert_string_equal(scene.outside.identity, "site-1");
	assert_string_equal(scene.inside[0].subject, "");
	secret_free(&key);
}

static void test_by_key_1_3(void **state)
{
	(void)state;
	by_key(RG_TLS_1_3, "1.3");
}

static void test_by_key_1_2(void **state)
{
	(void)state;
	by_key(RG_TLS_1_2, "1.2");
}

/* Both without any file: nothing but keys is spoken. */
static void test_by_key_without_files(void **state)
{
	(void)state;
	struct rg_credential bare = {.name = "", .tls_min = RG_TLS_1_2, .tls_max = RG_TLS_1_3,
				     .versions = RG_RADIUS_1_0};
	struct rg_credential ours = scene.ours, theirs = scene.theirs;
	scene.ours = scene.theirs = bare;
	by_key(RG_TLS_1_3, "1.3");
	scene.ours = ours;
	scene.theirs = theirs;
}

static void keys_differ(enum rg_tls_version most, const char *identity)
{
	struct rg_secret *key = new_key("0123456789abcdef0123456789abcdef");
	struct rg_secret *other = new_key("fedcba9876543210fedcba9876543210");
	scene.identity = "site-1";
	scene.key = key;
	scene.dial.psk_identity = identity;
	scene.dial.psk = other;
	scene.theirs.tls_max = most;
	neither(RG_CONNECTION_TLS, "", "");
	assert_int_equal(scene.outside.established, 0);
	secret_free(&key);
	secret_free(&other);
}

static void test_a_wrong_key(void **state)
{
	(void)state;
	keys_differ(RG_TLS_1_3, "site-1");
}

static void test_a_wrong_key_1_2(void **state)
{
	(void)state;
	keys_differ(RG_TLS_1_2, "site-1");
}

/* What cannot be deciphered is dropped as a forgery, so that it is time that tells (RFC 6347 §4.1.2.7). */
static void test_T1_a_wrong_key_over_dtls(void **state)
{
	struct rg_secret *key = new_key("0123456789abcdef0123456789abcdef");
	struct rg_secret *other = new_key("fedcba9876543210fedcba9876543210");
	(void)state;
	scene.identity = scene.dial.psk_identity = "site-1";
	scene.key = key;
	scene.dial.psk = other;
	scene_open(&scene);
	scene_dial(&scene);
	assert_true(scene_until(&scene, scene.arrived == 1));
	scene_settle(&scene);
	assert_int_equal(scene.outside.ended, 0);
	scene_pass(&scene, RG_CONNECTION_HANDSHAKE_NS);
	assert_true(scene_until(&scene, scene.outside.ended && scene.inside[0].ended));
	assert_int_equal(scene.outside.how, RG_CONNECTION_TIMEOUT);
	assert_string_equal(scene.inside[0].detail, "no handshake within 10 s");
	secret_free(&key);
	secret_free(&other);
}

static void test_an_unknown_identity_1_2(void **state)
{
	(void)state;
	keys_differ(RG_TLS_1_2, "site-2");
}

/* The port shows its certificate instead, which is no proof of the key. */
static void test_an_unknown_identity_1_3(void **state)
{
	(void)state;
	struct rg_secret *key = new_key("0123456789abcdef0123456789abcdef");
	scene.dial.psk_identity = "site-2";
	scene.dial.psk = key;
	scene_open(&scene);
	scene_dial(&scene);
	assert_true(scene_until(&scene, scene.outside.ended && scene.inside[0].ended));
	assert_int_equal(scene.outside.established, 0);
	assert_int_equal(scene.outside.how, RG_CONNECTION_TLS);
	secret_free(&key);
}

static void test_T4_a_key_that_changed(void **state)
{
	(void)state;
	struct rg_secret *key = new_key("0123456789abcdef0123456789abcdef");
	struct rg_secret *other = new_key("fedcba9876543210fedcba9876543210");
	scene.identity = scene.dial.psk_identity = "site-1";
	scene.key = scene.dial.psk = key;
	scene_open(&scene);
	scene_meet(&scene);
	assert_true(connection_recheck(scene.inside[0].connection, scene.at_port));
	scene.key = other;
	assert_false(connection_recheck(scene.inside[0].connection, scene.at_port));
	assert_true(scene_until(&scene, scene.inside[0].ended && scene.outside.ended));
	assert_int_equal(scene.inside[0].how, RG_CONNECTION_DISTRUSTED);
	assert_string_equal(scene.inside[0].detail, "its key is another by now");
	secret_free(&key);
	secret_free(&other);
}

/* Versions of RADIUS (RFC 9765 §3.3). */

static void versions(unsigned ours, unsigned theirs, unsigned agreed)
{
	scene.ours.versions = ours;
	scene.theirs.versions = theirs;
	scene_open(&scene);
	scene_dial(&scene);
	assert_true(scene_until(&scene,
				scene.outside.ended ||
					(scene.outside.established && scene.inside[0].established)));
	assert_int_equal(scene.outside.ended, agreed == 0);
	if (agreed != 0) {
		assert_int_equal(scene.outside.peer.version, agreed);
		assert_int_equal(scene.inside[0].peer.version, agreed);
	}
}

static void test_versions_old_and_both(void **state)
{
	(void)state;
	versions(RG_RADIUS_1_0, RG_RADIUS_1_0 | RG_RADIUS_1_1, RG_RADIUS_1_0);
}

static void test_versions_both_and_new(void **state)
{
	(void)state;
	versions(RG_RADIUS_1_0 | RG_RADIUS_1_1, RG_RADIUS_1_1, RG_RADIUS_1_1);
}

static void test_versions_none_in_common(void **state)
{
	(void)state;
	versions(RG_RADIUS_1_0, RG_RADIUS_1_1, 0);
	assert_non_null(strstr(scene.outside.detail, "no application protocol"));
}

static void test_versions_new_alone_over_1_2(void **state)
{
	(void)state;
	scene.theirs.tls_max = RG_TLS_1_2;
	versions(RG_RADIUS_1_0 | RG_RADIUS_1_1, RG_RADIUS_1_1, 0);
}

static void without_alpn(unsigned ours, bool good)
{
	scene.ours.versions = ours;
	scene_open(&scene);
	struct stranger stranger = stranger_call(&scene);
	assert_int_equal(stranger_shake(&scene, &stranger, &scene.theirs), good);
	if (good)
		assert_int_equal(scene.inside[0].peer.version, RG_RADIUS_1_0);
	else
		assert_non_null(strstr(scene.inside[0].detail, "RFC 9765"));
	stranger_leave(&stranger);
	scene_settle(&scene);
}

static void test_versions_where_alpn_is_not_spoken(void **state)
{
	(void)state;
	without_alpn(RG_RADIUS_1_0 | RG_RADIUS_1_1, true);
}

static void test_versions_new_alone_where_alpn_is_not_spoken(void **state)
{
	(void)state;
	without_alpn(RG_RADIUS_1_1, false);
}

/* Trust that changes under a live connection. */

static void test_T4_revoked_while_connected(void **state)
{
	(void)state;
	X509 *caller = scene_leaf(&scene.theirs);
	scene_crl(&scene, NULL, 3600);
	scene_open(&scene);
	scene_meet(&scene);
	struct rg_radsec *former = radsec_ref(scene.at_port);
	assert_false(radsec_stale(former));
	assert_true(connection_recheck(scene.inside[0].connection, former));
	scene_crl(&scene, caller, 3600);
	assert_true(radsec_stale(former));
	scene_renew(&scene);
	assert_ptr_not_equal(scene.at_port, former);
	assert_false(connection_recheck(scene.inside[0].connection, scene.at_port));
	assert_true(scene_until(&scene, scene.inside[0].ended && scene.outside.ended));
	assert_int_equal(scene.inside[0].how, RG_CONNECTION_DISTRUSTED);
	assert_string_equal(scene.inside[0].detail, "its certificate: certificate revoked");
	assert_int_equal(scene.outside.how, RG_CONNECTION_CLOSED);
	radsec_unref(&former);
	X509_free(caller);
}

/* The reload comes between the port's hello and the caller's certificate. */
static void test_T4_revoked_in_the_middle_of_a_handshake(void **state)
{
	(void)state;
	X509 *caller = scene_leaf(&scene.theirs);
	scene_crl(&scene, NULL, 3600);
	scene_open(&scene);
	struct stranger stranger = stranger_call(&scene);
	stranger_set(&stranger, &scene.theirs);
	stranger_turn(&scene, &stranger);
	assert_true(scene_until(&scene, scene.arrived == 1));
	scene_settle(&scene);
	scene_crl(&scene, caller, 3600);
	scene_renew(&scene);
	assert_true(scene_until(&scene, stranger_turn(&scene, &stranger) || scene.inside[0].ended));
	assert_true(scene_until(&scene, scene.inside[0].ended));
	assert_int_equal(scene.inside[0].established, 0);
	assert_int_equal(scene.inside[0].how, RG_CONNECTION_DISTRUSTED);
	stranger_leave(&stranger);
	X509_free(caller);
}

static void test_T4_a_certificate_that_ends_while_connected(void **state)
{
	(void)state;
	scene_certificate(&scene, &scene.theirs,
			  &(struct pki_want){.cn = "caller", .from_s = -60, .to_s = 4});
	scene_open(&scene);
	scene_meet(&scene);
	/* Its end is by the wall clock, which no test turns. */
	assert_true(scene_until(&scene, scene.inside[0].ended));
	assert_int_equal(scene.inside[0].how, RG_CONNECTION_DISTRUSTED);
	assert_string_equal(scene.inside[0].detail, "its certificate has expired");
}

/* Events that end the connection from inside. */

static void test_ended_when_established(void **state)
{
	(void)state;
	scene.inside[0].end_when_established = true;
	scene_open(&scene);
	scene_dial(&scene);
	assert_true(scene_until(&scene, scene.inside[0].ended && scene.outside.ended));
	assert_int_equal(scene.inside[0].how, RG_CONNECTION_OURS);
	assert_string_equal(scene.inside[0].detail, "enough");
	assert_int_equal(scene.outside.how, RG_CONNECTION_CLOSED);
}

static void test_ended_by_who_calls_when_established(void **state)
{
	(void)state;
	scene.outside.end_when_established = true;
	scene_open(&scene);
	scene_dial(&scene);
	assert_true(scene_until(&scene, scene.inside[0].ended && scene.outside.ended));
	assert_int_equal(scene.outside.how, RG_CONNECTION_OURS);
}

static void test_what_was_said_leaves_before_the_end(void **state)
{
	(void)state;
	scene_open(&scene);
	scene_meet(&scene);
	assert_true(end_says(&scene.outside, 1, 200));
	connection_end(scene.outside.connection, RG_CONNECTION_OURS, "done");
	assert_true(scene_until(&scene, scene.inside[0].ended));
	assert_int_equal(scene.inside[0].packets, 1);
	assert_string_equal(scene.inside[0].detail, "closed by the other side");
}

static void test_the_place_is_closed_with_all(void **state)
{
	(void)state;
	scene_open(&scene);
	scene_meet(&scene);
	place_close(&scene.place);
	assert_int_equal(scene.inside[0].ended, 1);
	assert_int_equal(scene.outside.ended, 1);
	assert_string_equal(scene.outside.detail, "the gateway stops");
}

#define OVER(transport, test) cmocka_unit_test_setup_teardown(test, begin_##transport, end)
#define OVER_BOTH(test)                                                                            \
	cmocka_unit_test_setup_teardown(test, begin_tls, end),                                     \
		cmocka_unit_test_setup_teardown(test, begin_dtls, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OVER(tls, test_tls_1_3),
		OVER(tls, test_tls_1_2),
		OVER(dtls, test_dtls),
		OVER(tls, test_a_name_is_looked_up),
		OVER_BOTH(test_nobody_listens),
		OVER_BOTH(test_no_such_name),
		OVER_BOTH(test_it_may_be_ended_while_a_name_is_looked_up),
		OVER_BOTH(test_the_next_address_where_one_refuses),
		OVER(tls, test_the_next_address_where_one_is_silent),
		OVER(tls, test_the_next_address_where_a_handshake_is_cut),
		OVER_BOTH(test_a_caller_of_another_ca),
		OVER_BOTH(test_a_port_of_another_ca),
		OVER_BOTH(test_a_caller_whose_certificate_has_expired),
		OVER_BOTH(test_a_caller_with_a_servers_purpose_alone),
		OVER(tls, test_a_caller_without_certificate),
		OVER_BOTH(test_T4_a_caller_that_is_revoked),
		OVER_BOTH(test_a_crl_that_has_ended_refuses_everyone),
		OVER(tls, test_a_crl_lets_others_in),
		OVER_BOTH(test_its_name_is_that_of_the_san),
		OVER_BOTH(test_its_cn_is_no_name),
		OVER(tls, test_by_key_1_3),
		OVER_BOTH(test_by_key_1_2),
		OVER(tls, test_by_key_without_files),
		OVER(tls, test_a_wrong_key),
		OVER(tls, test_a_wrong_key_1_2),
		OVER(dtls, test_T1_a_wrong_key_over_dtls),
		OVER_BOTH(test_an_unknown_identity_1_2),
		OVER(tls, test_an_unknown_identity_1_3),
		OVER_BOTH(test_T4_a_key_that_changed),
		OVER(tls, test_versions_old_and_both),
		OVER(tls, test_versions_both_and_new),
		OVER(tls, test_versions_none_in_common),
		OVER(tls, test_versions_new_alone_over_1_2),
		OVER(tls, test_versions_where_alpn_is_not_spoken),
		OVER(tls, test_versions_new_alone_where_alpn_is_not_spoken),
		OVER_BOTH(test_T4_revoked_while_connected),
		OVER(tls, test_T4_revoked_in_the_middle_of_a_handshake),
		OVER_BOTH(test_T4_a_certificate_that_ends_while_connected),
		OVER_BOTH(test_ended_when_established),
		OVER_BOTH(test_ended_by_who_calls_when_established),
		OVER_BOTH(test_what_was_said_leaves_before_the_end),
		OVER_BOTH(test_the_place_is_closed_with_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
