/* Whole sign-ins through each tunnel and inner method, by laptops that leave messages out, repeat
 * them, say those of another sign-in, or say that all is well too early: never an Accept without
 * the right password or certificate. ROAMGATE_DISORDER=N makes N sign-ins of chance in place of
 * the usual few, ROAMGATE_SEED=N others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/secret.h"
#include "module/module.h"
#include "supplicant/peer_tunnel.h"
#include "tunnels.h"

#define MESSAGE    2048
#define SAID_MOST  24 /* messages of one sign-in that are kept */
#define TURNS_MOST 60
#define ROOM       1400

static const struct way {
	const char *tunnel, *inner;
	bool secret; /* the clear text holds the secret itself: who hears it may use it */
} ways[] = {
	{"ttls", "pap", true}, {"ttls", "mschapv2", false}, {"ttls", "eap-mschapv2", false},
	{"ttls", "gtc", true}, {"ttls", "tls", false},      {"peap", "mschapv2", false},
	{"peap", "gtc", true}, {"peap", "tls", false},
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))
static const char *const versions[] = {"1.2", "1.3"};

/* Who has the right secret, and who has not; by way and version. */
static struct rg_supplicant_profile *profiles[WAYS][2][2];
static const struct rg_eap_method *methods[4];

struct said {
	uint8_t octets[MESSAGE];
	size_t length;
};

/* One sign-in. */
struct talk {
	const struct way *way;
	struct scene scene;
	const struct rg_peer_method *as;
	struct rg_peer_tunnel *laptop;
	struct said said[SAID_MOST]; /* in the tunnel, as honest laptops say it */
	unsigned count;
	struct said response; /* the last EAP-Response's Type-Data */
	bool silent;          /* nothing was said in the tunnel in this turn */
	uint8_t id;           /* of a whole packet that the server said last, or a guess */
};

/* What comes of a message before it is said; NULL: nothing does. */
typedef void (*spoiler)(struct talk *, struct said *message, void *context);

static void talk_begin(struct talk *talk, size_t way, size_t version, bool right)
{
	struct rg_supplicant_profile *as = profiles[way][version][right];
	*talk = (struct talk){.way = &ways[way], .as = peer_method_by_label(ways[way].tunnel)};
	scene_begin_server(&talk->scene, ways[way].tunnel);
	talk->laptop = talk->as->start(as, "jan@beuningen.nl", ROOM);
	assert_non_null(talk->laptop);
}

static void talk_end(struct talk *talk)
{
	void *laptop = talk->laptop;
	talk->as->end(&laptop);
	talk->scene.kind->end(&talk->scene.method);
}

static bool talk_goes_on(const struct talk *talk)
{
	return talk->scene.verdict == RG_EAP_REQUEST;
}

/* The laptop hears the server's Request; its Response is ready in talk->response. */
static void talk_answer(struct talk *talk, spoiler spoil, void *context)
{
	uint8_t memory[RG_PEER_TUNNEL_MESSAGE];
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	struct said message;
	talk->silent = true;
	if (peer_tunnel_take(talk->laptop, buffer_span(&talk->scene.output), &clear) ==
	    RG_PEER_TUNNEL_OPEN) {
		struct rg_buffer answer = buffer_over(message.octets, sizeof(message.octets));
		talk->id = clear.length > 4 ? memory[1] : (uint8_t)(talk->scene.rounds % 8);
		/* Where the server makes no sense to it an honest laptop leaves; these do not. */
		talk->laptop->kind->hear(talk->laptop, buffer_span(&clear), &answer);
		assert_false(answer.failed);
		message.length = answer.length;
		talk->silent = message.length == 0;
		if (!talk->silent && talk->count < SAID_MOST)
			talk->said[talk->count++] = message;
		if (spoil)
			spoil(talk, &message, context);
		tls_peer_write(&talk->laptop->tls, span_of(message.octets, message.length));
	}
	struct rg_buffer response =
		buffer_over(talk->response.octets, sizeof(talk->response.octets));
	tls_peer_give(&talk->laptop->tls, &response);
	talk->response.length = response.length;
}

static void talk_serve(struct talk *talk, const struct said *response)
{
	scene_serve(&talk->scene, span_of(response->octets, response->length));
}

static void talk_turn(struct talk *talk, spoiler spoil, void *context)
{
	talk_answer(talk, spoil, context);
	talk_serve(talk, &talk->response);
}

/* Each way and version of a sign-in. */
static void each(void (*test)(size_t way, size_t version))
{
	for (size_t way = 0; way < WAYS; way++)
		for (size_t version = 0; version < 2; version++)
			test(way, version);
}

/* Goes through a sign-in as its laptop has it; how many messages it said in the tunnel. */
static unsigned whole(struct talk *talk, size_t way, size_t version, bool right)
{
	talk_begin(talk, way, version, right);
	for (unsigned turn = 0; turn < TURNS_MOST && talk_goes_on(talk); turn++)
		talk_turn(talk, NULL, NULL);
	return talk->count;
}

static void honest(size_t way, size_t version)
{
	struct talk talk;
	assert_true(whole(&talk, way, version, true) > 0);
	if (talk.scene.verdict != RG_EAP_SUCCESS)
		fail_msg("%s/%s over TLS %s: %s", ways[way].tunnel, ways[way].inner,
			 versions[version], talk.scene.step.detail);
	assert_string_equal(talk.scene.identity, "jan@beuningen.nl");
	talk_end(&talk);
	whole(&talk, way, version, false);
	assert_int_equal(talk.scene.verdict, RG_EAP_FAILURE);
	scene_never_accepted(&talk.scene);
	talk_end(&talk);
}

static void who_has_the_secret_is_let_in_and_nobody_else(void **state)
{
	(void)state;
	each(honest);
}

/* One message of a sign-in, and what is said in its place. */
struct trick {
	unsigned at;
	const struct said *instead; /* of so many */
	unsigned count;
	bool done;
};

static void say_nothing(struct talk *talk, struct said *message, void *context)
{
	struct trick *trick = context;
	if (talk->silent || talk->count != trick->at + 1)
		return;
	message->length = 0;
	trick->done = true;
}

static void leave_out(size_t way, size_t version)
{
	struct talk talk;
	unsigned messages = whole(&talk, way, version, true);
	talk_end(&talk);
	for (unsigned at = 0; at < messages; at++) {
		struct trick trick = {.at = at};
		talk_begin(&talk, way, version, true);
		for (unsigned turn = 0; turn < TURNS_MOST && talk_goes_on(&talk); turn++)
			talk_turn(&talk, say_nothing, &trick);
		assert_true(trick.done);
		assert_int_not_equal(talk.scene.verdict, RG_EAP_SUCCESS);
		talk_end(&talk);
	}
}

static void E6_a_message_left_out(void **state)
{
	(void)state;
	each(leave_out);
}

/* What was said before, from one message on, in place of what is to be said. */
static void say_instead(struct talk *talk, struct said *message, void *context)
{
	struct trick *trick = context;
	unsigned now = talk->count - 1;
	if (talk->silent || now < trick->at || now >= trick->count)
		return;
	*message = trick->instead[now];
	trick->done = true;
}

static void replay(size_t way, size_t version)
{
	struct talk before, talk;
	unsigned messages = whole(&before, way, version, true);
	for (unsigned at = 0; at < messages && !ways[way].secret; at++) {
		struct trick trick = {.at = at, .instead = before.said, .count = messages};
		talk_begin(&talk, way, version, false);
		for (unsigned turn = 0; turn < TURNS_MOST && talk_goes_on(&talk); turn++)
			talk_turn(&talk, say_instead, &trick);
		scene_never_accepted(&talk.scene);
		talk_end(&talk);
	}
	talk_end(&before);
}

/* Whoever heard the clear text of a sign-in that succeeded knows no more than who did not. */
static void E6_messages_of_an_earlier_sign_in(void **state)
{
	(void)state;
	each(replay);
}

/* What this laptop said before in the same sign-in. */
static void say_again(struct talk *talk, struct said *message, void *context)
{
	struct trick *trick = context;
	if (talk->silent || talk->count != trick->at + 1)
		return;
	*message = talk->said[trick->count];
	trick->done = true;
}

static void repeat(size_t way, size_t version)
{
	struct talk talk;
	unsigned messages = whole(&talk, way, version, true);
	talk_end(&talk);
	for (unsigned at = 1; at < messages; at++)
		for (unsigned earlier = 0; earlier < at; earlier++) {
			struct trick trick = {.at = at, .count = earlier};
			talk_begin(&talk, way, version, true);
			for (unsigned turn = 0; turn < TURNS_MOST && talk_goes_on(&talk); turn++)
				talk_turn(&talk, say_again, &trick);
			assert_true(trick.done);
			assert_int_not_equal(talk.scene.verdict, RG_EAP_SUCCESS);
			talk_end(&talk);
		}
}

static void E6_a_message_said_twice(void **state)
{
	(void)state;
	each(repeat);
}

/* What says that all is well: PEAP's Result, MSCHAPv2's Success, EAP's own. */
static const struct said successes[] = {
	{"\x02\x00\x00\x0b\x21\x80\x03\x00\x02\x00\x01", 11},
	{"\x1a\x03", 2},
	{"\x03\x00\x00\x04", 4},
	{"\x00\x00\x00\x4f\x40\x00\x00\x0e\x02\x02\x00\x06\x1a\x03\x00\x00", 16},
	{"\x00\x00\x00\x4f\x40\x00\x00\x0c\x03\x02\x00\x04", 12},
	{"\x00", 1}, /* RFC 9427's, which is the server's to say */
};
#define SUCCESSES (sizeof(successes) / sizeof(successes[0]))

/* From one message on, also where an honest laptop would have nothing to say any more: that, and
 * then another. */
static void say_success(struct talk *talk, struct said *message, void *context)
{
	struct trick *trick = context;
	if (talk->count - !talk->silent < trick->at)
		return;
	*message = successes[trick->done ? trick->count / SUCCESSES : trick->count % SUCCESSES];
	trick->done = true;
	if (message->octets[0] == 2)
		message->octets[1] = talk->id;
}

static void success_early(size_t way, size_t version)
{
	struct talk talk;
	unsigned messages = whole(&talk, way, version, false);
	talk_end(&talk);
	for (unsigned at = 0; at <= messages; at++)
		for (unsigned i = 0; i < SUCCESSES * SUCCESSES; i++) {
			struct trick trick = {.at = at, .count = i};
			if ((at + i) % 2 != version)
				continue;
			talk_begin(&talk, way, version, false);
			for (unsigned turn = 0; turn < TURNS_MOST && talk_goes_on(&talk); turn++)
				talk_turn(&talk, say_success, &trick);
			scene_never_accepted(&talk.scene);
			talk_end(&talk);
		}
}

static void E6_success_said_early(void **state)
{
	(void)state;
	each(success_early);
}

/* Two sign-ins whose Responses change places from one turn on: TLS itself tells them apart. */
static void cross(size_t way, size_t version)
{
	for (unsigned at = 0; at < TURNS_MOST; at++) {
		struct talk one, two;
		bool crossed = false;
		talk_begin(&one, way, version, true);
		talk_begin(&two, way, version, true);
		for (unsigned turn = 0; talk_goes_on(&one) && talk_goes_on(&two); turn++) {
			talk_answer(&one, NULL, NULL);
			talk_answer(&two, NULL, NULL);
			bool now = turn == at;
			crossed |= now && (one.response.length != two.response.length ||
					   memcmp(one.response.octets, two.response.octets,
						  one.response.length) != 0);
			talk_serve(&one, now ? &two.response : &one.response);
			talk_serve(&two, now ? &one.response : &two.response);
			assert_true(turn < TURNS_MOST);
		}
		bool over = one.scene.rounds <= at;
		if (crossed) {
			assert_int_not_equal(one.scene.verdict, RG_EAP_SUCCESS);
			assert_int_not_equal(two.scene.verdict, RG_EAP_SUCCESS);
		}
		talk_end(&one);
		talk_end(&two);
		if (over)
			return;
	}
}

static void E6_two_sign_ins_mixed(void **state)
{
	(void)state;
	each(cross);
}

/* Fragments of EAP-TLS inside a tunnel: flags, and the total that is announced. */
static const struct {
	uint8_t flags;
	uint32_t total;
} fragments[] = {
	{0x40, 0},     /* the first of several, without a total */
	{0xc0, 65537}, /* over 64 KiB */
	{0xc0, 3},     /* more than announced already */
	{0x80, 3},     /* the same, and the last */
	{0x20, 0},     /* Start is the server's to say */
};
#define FRAGMENTS (sizeof(fragments) / sizeof(fragments[0]))

static void break_fragment(struct talk *talk, struct said *message, void *context)
{
	const struct trick *trick = context;
	bool peap = strcmp(talk->way->tunnel, "peap") == 0;
	size_t type = peap ? 0 : 8 + 4; /* behind the AVP's and EAP's headers */
	if (message->length <= type + 6 || message->octets[type] != 13)
		return;
	message->octets[type + 1] = fragments[trick->count].flags;
	if (fragments[trick->count].flags & 0x80) {
		struct rg_buffer total = buffer_over(message->octets + type + 2, 4);
		buffer_u32(&total, fragments[trick->count].total);
	}
}

static void inner_fragments(size_t way, size_t version)
{
	if (strcmp(ways[way].inner, "tls") != 0)
		return;
	for (unsigned i = 0; i < FRAGMENTS; i++) {
		struct talk talk;
		struct trick trick = {.count = i};
		talk_begin(&talk, way, version, true);
		for (unsigned turn = 0; turn < TURNS_MOST && talk_goes_on(&talk); turn++)
			talk_turn(&talk, break_fragment, &trick);
		assert_int_equal(talk.scene.verdict, RG_EAP_FAILURE);
		scene_never_accepted(&talk.scene);
		talk_end(&talk);
	}
}

static void E2_fragments_inside_a_tunnel(void **state)
{
	(void)state;
	each(inner_fragments);
}

/* By chance. */

static unsigned chance(unsigned below)
{
	return (unsigned)random() % below;
}

static void change_octets(struct said *message)
{
	if (message->length == 0)
		return;
	for (unsigned i = 0; i <= chance(3); i++)
		message->octets[chance((unsigned)message->length)] ^= (uint8_t)(1 + chance(255));
	if (chance(4) == 0)
		message->length = chance((unsigned)message->length);
}

static void spoil_by_chance(struct talk *talk, struct said *message, void *context)
{
	const struct talk *other = context;
	switch (chance(12)) {
	case 0:
		message->length = 0;
		break;
	case 1:
		if (talk->count != 0)
			*message = talk->said[chance(talk->count)];
		break;
	case 2:
		change_octets(message);
		break;
	case 3: /* another's words; not where they are the secret itself */
		if (!talk->way->secret && other->count != 0)
			*message = other->said[chance(other->count)];
		break;
	case 4:
		*message = successes[chance(SUCCESSES)];
		message->octets[1] ^= (uint8_t)(chance(2) ? 0 : chance(8));
		break;
	default: /* as it is */
		break;
	}
}

/* A turn of one of two; before: its Response of the turn before. */
static void turn_by_chance(struct talk *talk, struct talk *other)
{
	struct said before = talk->response;
	talk_answer(talk, spoil_by_chance, other);
	switch (chance(24)) {
	case 0:
		talk_serve(talk, &before);
		break;
	case 1:
		talk_serve(talk, &other->response);
		break;
	case 2:
		change_octets(&talk->response);
		talk_serve(talk, &talk->response);
		break;
	default:
		talk_serve(talk, &talk->response);
		break;
	}
}

static unsigned number_of(const char *variable, unsigned otherwise)
{
	const char *text = getenv(variable);
	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

/* Two at once, of whom one has not the right secret; a message is left out, repeated, changed, or
 * the other's. */
static void E6_disorder_by_chance(void **state)
{
	unsigned rounds = number_of("ROAMGATE_DISORDER", 300), accepted = 0;
	(void)state;
	srandom(number_of("ROAMGATE_SEED", 6));
	for (unsigned round = 0; round < rounds; round++) {
		struct talk right, wrong;
		size_t way = chance(WAYS), version = chance(2);
		talk_begin(&right, way, version, true);
		talk_begin(&wrong, way, version, false);
		for (unsigned turn = 0; turn < TURNS_MOST; turn++) {
			if (talk_goes_on(&right))
				turn_by_chance(&right, &wrong);
			if (talk_goes_on(&wrong))
				turn_by_chance(&wrong, &right);
		}
		scene_never_accepted(&wrong.scene);
		accepted += right.scene.verdict == RG_EAP_SUCCESS;
		talk_end(&right);
		talk_end(&wrong);
	}
	/* Some got through: it is the end of a sign-in too that was tried. */
	assert_true(accepted > rounds / 20);
}

static void write_staff(const char *path, const struct pki *ca)
{
	struct pki staff = pki_make(&(struct pki_want){.cn = "jan@beuningen.nl",
						       .issuer = ca,
						       .usage = "clientAuth",
						       .san = "email:jan@beuningen.nl"});
	char *key = pki_path(town.directory, "key.pem"), line[256];
	pki_write_certificates(path, &staff.certificate, 1);
	pki_write_key(key, staff.key);
	FILE *from = fopen(key, "r"), *to = fopen(path, "a");
	assert_true(from && to);
	while (fgets(line, sizeof(line), from))
		fputs(line, to);
	fclose(from);
	fclose(to);
	free(key);
	pki_free(&staff);
}

static void make_profile(size_t way, size_t version, bool right, const char *certificate)
{
	char why[256];
	const struct rg_supplicant_settings settings = {
		.method = ways[way].tunnel,
		.inner = ways[way].inner,
		.certificate = certificate,
		.tls_min = versions[version],
		.tls_max = versions[version],
		.identity = "jan@beuningen.nl",
		.password = span_text(right ? PASSWORD : "verkeerd"),
	};
	profiles[way][version][right] = supplicant_profile_new(&settings, why);
	if (!profiles[way][version][right])
		fail_msg("%s", why);
}

static int set_up(void **state)
{
	char why[512];
	if (scenes_set_up(state) != 0 || !module_load("", "eap_tls", why))
		return -1;
	methods[0] = module_eap_by_label("mschapv2");
	methods[1] = module_eap_by_label("gtc");
	methods[2] = module_eap_by_label("tls");
	inner.methods = methods;
	struct pki stranger = pki_make(&(struct pki_want){.cn = "Another CA", .ca = true});
	char *paths[2] = {pki_path(town.directory, "stranger.pem"),
			  pki_path(town.directory, "staff.pem")};
	write_staff(paths[0], &stranger);
	write_staff(paths[1], &town.ca);
	for (size_t way = 0; way < WAYS; way++)
		for (size_t version = 0; version < 2; version++)
			for (unsigned right = 0; right < 2; right++)
				make_profile(way, version, right, paths[right]);
	profile = profiles[0][0][1];
	pki_free(&stranger);
	free(paths[0]);
	free(paths[1]);
	return 0;
}

static int tear_down(void **state)
{
	for (size_t way = 0; way < WAYS; way++)
		for (size_t version = 0; version < 2; version++)
			for (unsigned right = 0; right < 2; right++)
				supplicant_profile_free(&profiles[way][version][right]);
	return scenes_tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_the_secret_is_let_in_and_nobody_else),
		cmocka_unit_test(E6_a_message_left_out),
		cmocka_unit_test(E6_messages_of_an_earlier_sign_in),
		cmocka_unit_test(E6_a_message_said_twice),
		cmocka_unit_test(E6_success_said_early),
		cmocka_unit_test(E6_two_sign_ins_mixed),
		cmocka_unit_test(E2_fragments_inside_a_tunnel),
		cmocka_unit_test(E6_disorder_by_chance),
	};
	return cmocka_run_group_tests_name("eap/disorder", tests, set_up, tear_down);
}
