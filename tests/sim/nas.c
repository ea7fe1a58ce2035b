/* NASes and the federation's own requests: they ask, repeat, lose patience, change their port, give
 * up. Some ask what they should not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

struct nas nases[NASES_MOST] = {
	{.name = "hall", .secret = "secret of the hall"},
	{.name = "library", .secret = "secret of the library"},
	{.name = "cellar", .secret = "secret of the cellar", .forbidden = true, .lenient = true},
	[PROXY] = {.name = "proxy", .secret = "secret of the proxy"},
	[FEDERATION] = {.name = "peer0", .secret = "secret of peer 0"},
};

bool nas_is_at(struct spot spot)
{
	for (unsigned i = 0; i < NASES_MOST; i++)
		if (nases[i].spots[0].ip == spot.ip)
			return i != FEDERATION || !peer_is_at(spot);
	return false;
}

static struct spot gateway_of(const struct nas *nas, uint16_t port)
{
	return (struct spot){GATEWAY + nas->number % 2, port};
}

/* Requests. */

static uint8_t next_id(struct nas *nas, unsigned door)
{
	nas->next_id[door]++;
	if (world.plan.few_ids)
		nas->next_id[door] %= 4;
	return nas->next_id[door];
}

static void add_common(struct pdu *pdu, const struct signin *signin)
{
	char mac[32];
	snprintf(mac, sizeof(mac), "02-00-00-00-%02X-%02X", signin->number >> 8,
		 signin->number & 0xff);
	pdu_add_text(pdu, RG_USER_NAME, signin->user);
	pdu_add_text(pdu, RG_CALLING_STATION_ID, mac);
	pdu_add_text(pdu, RG_CALLED_STATION_ID, "AA-BB-CC-DD-EE-FF:govroam");
	pdu_add_text(pdu, RG_NAS_IDENTIFIER, signin->nas->name);
	if (signin->mtu != 0) {
		const uint8_t mtu[] = {0, 0, (uint8_t)(signin->mtu >> 8), (uint8_t)signin->mtu};
		pdu_add(pdu, RG_FRAMED_MTU, mtu, sizeof(mtu));
	}
}

/* What proxies on the way have added, and ask for. */
static void add_federation(struct pdu *pdu)
{
	uint8_t state[20];
	for (unsigned i = chance_between(&world.nas, 1, 16); i != 0; i--) {
		chance_fill(&world.nas, state, sizeof(state));
		pdu_add(pdu, RG_PROXY_STATE, state, chance_between(&world.nas, 1, sizeof(state)));
	}
	pdu_add(pdu, RG_CUI, "", 1);
	pdu_add_text(pdu, RG_OPERATOR_NAME, "1visited.nl");
}

static struct exchange *entered(struct nas *nas, unsigned door, struct signin *signin, bool futile,
				const struct pdu *pdu)
{
	struct spot from = nas->spots[door];
	if (world.plan.crowd) /* 256 Identifiers are not enough for one port */
		from.port = (uint16_t)(from.port + 100 + signin->number);
	struct exchange *exchange = exchange_new(nas, from, gateway_of(nas, AUTH_PORT), pdu);
	exchange->signin = signin;
	exchange->futile = futile;
	return exchange;
}

static struct exchange *request(struct nas *nas, unsigned door, struct signin *signin, bool futile,
				const uint8_t *state, size_t state_length)
{
	struct pdu pdu;
	uint8_t authenticator[16];
	chance_fill(&world.nas, authenticator, sizeof(authenticator));
	uint8_t id = next_id(nas, door);
	if (signin->kind == HOME_TLS) {
		tls_laptop_request(signin, id, &pdu);
		return entered(nas, door, signin, futile, &pdu);
	}
	pdu_begin(&pdu, RG_ACCESS_REQUEST, id, authenticator, signin->kind != PAP || !nas->lenient);
	add_common(&pdu, signin);
	if (nas == &nases[FEDERATION])
		add_federation(&pdu);
	if (signin->kind == PAP) {
		char password[32];
		snprintf(password, sizeof(password), "%s%s", signin->password,
			 signin->manner == WRONG_PROOF ? "x" : "");
		pdu_add_password(&pdu, password, nas->secret);
	} else {
		pdu_add_eap(&pdu, signin->eap, signin->eap_length);
		if (signin->eap_length == 0)
			pdu_add(&pdu, RG_EAP_MESSAGE, "", 0);
	}
	if (state_length != 0)
		pdu_add(&pdu, RG_STATE, state, state_length);
	pdu_sign_request(&pdu, nas->secret);
	return entered(nas, door, signin, futile, &pdu);
}

static void transmit(struct exchange *exchange)
{
	say("%s: p%d asks, id %u%s", exchange->nas->name,
	    exchange->signin ? (int)exchange->signin->number : -1, exchange->id,
	    exchange->futile ? ", in vain" : "");
	net_send(exchange->from, exchange->to, exchange->bytes, exchange->length, exchange);
	/* Some controllers say everything twice. */
	if (chance_permille(&world.nas, 30))
		net_send(exchange->from, exchange->to, exchange->bytes, exchange->length, exchange);
}

/* Patience. */

struct patience {
	struct signin *signin;
	unsigned turn;
};

static void on_impatient(void *context);

static void wait_for_answer(struct signin *signin)
{
	struct patience *patience = own(sizeof(*patience));
	*patience = (struct patience){signin, signin->turn};
	uint64_t wait = chance_between(&world.nas, 2500, 3500) * RG_MS;
	event_at(world.now + wait, on_impatient, patience);
}

static void conclude(struct signin *signin, enum rg_result result)
{
	signin->over = true;
	signin->result = result;
	signin->now = NULL;
	if (signin->supplicant)
		tls_laptop_end(signin);
	say("p%u: %s", signin->number, result_word(result));
	if (result == RG_RESULT_ACCEPT)
		world.accepts++;
	else if (result == RG_RESULT_REJECT)
		world.rejects++;
	else
		world.silences++;
}

static void ask(struct signin *signin, unsigned door)
{
	/* The federation may ask for our own realms only. */
	bool futile = signin->kind == LOOP || signin->kind == FOREIGN ||
		      (signin->nas == &nases[FEDERATION] && signin->kind > HOME_TLS);
	signin->turn++;
	signin->now =
		request(signin->nas, door, signin, futile, signin->state, signin->state_length);
	transmit(signin->now);
	wait_for_answer(signin);
}

static unsigned draw_door(void)
{
	return chance_permille(&world.nas, 150);
}

static void on_impatient(void *context)
{
	struct patience patience = *(struct patience *)context;
	struct signin *signin = patience.signin;
	free(context);
	if (signin->over || signin->turn != patience.turn)
		return;
	if (++signin->tries > 8) {
		conclude(signin, RG_RESULT_NO_ANSWER);
	} else if (chance_permille(&world.nas, world.plan.calm ? 0 : 150)) {
		ask(signin, draw_door()); /* under another Identifier, perhaps by another port */
	} else {
		transmit(signin->now);
		wait_for_answer(signin);
	}
}

/* Answers. */

static void challenged(struct signin *signin, const uint8_t *packet, size_t length)
{
	uint8_t eap[RG_RADIUS_MOST];
	const uint8_t *state = pdu_find(packet, length, RG_STATE, 0, &signin->state_length);
	if (!state)
		broken("p%u: a Challenge without State", signin->number);
	memcpy(signin->state, state, signin->state_length);
	size_t eap_length = pdu_eap(packet, length, eap);
	signin->turn++;
	signin->now = NULL;
	if (laptop_answer(signin, eap, eap_length)) {
		signin->tries = 0;
		ask(signin, draw_door());
	} else {
		conclude(signin, RG_RESULT_NO_ANSWER);
	}
}

static struct exchange *expected(const struct flight *flight)
{
	for (unsigned i = 0; i < people.count; i++) {
		struct exchange *now = people.signins[i].now;
		if (now && now->id == flight->bytes[1] && spot_equal(now->from, flight->to) &&
		    pdu_reply_signature(flight->bytes, flight->length, now->authenticator,
					now->nas->secret) == SIGNED)
			return now;
	}
	return NULL;
}

void nas_receive(const struct flight *flight)
{
	struct exchange *now = pdu_whole(flight->bytes, flight->length) ? expected(flight) : NULL;
	if (!now)
		return;
	struct signin *signin = now->signin;
	if (signin->kind == HOME_TLS) {
		enum rg_result result = tls_laptop_reply(signin, flight->bytes, flight->length);
		signin->tries = 0;
		if (result == RG_RESULT_NONE)
			ask(signin, draw_door());
		else
			conclude(signin, result);
		return;
	}
	if (flight->bytes[0] == RG_ACCESS_CHALLENGE) {
		challenged(signin, flight->bytes, flight->length);
		return;
	}
	conclude(signin,
		 flight->bytes[0] == RG_ACCESS_ACCEPT ? RG_RESULT_ACCEPT : RG_RESULT_REJECT);
}

/* Those who ask what they should not. */

/* Somebody in the middle of a conversation; elsewhere: by another client. */
static struct signin *victim_of(const struct signin *thief, bool elsewhere)
{
	for (unsigned i = 0; i < people.count; i++) {
		struct signin *victim = &people.signins[(thief->number + 1 + i) % people.count];
		if (victim != thief && !victim->over && victim->state_length != 0 &&
		    (victim->kind == HOME_TOY || victim->kind == HOME_ASK) &&
		    (!elsewhere || victim->nas != thief->nas))
			return victim;
	}
	return NULL;
}

/* By another client, with what a victim is about to say. */
static void steal(struct signin *thief)
{
	struct signin *victim = victim_of(thief, true);
	if (victim)
		transmit(request(thief->nas, 0, victim, true, victim->state, victim->state_length));
}

/* A State of no gateway, of another one, of any slot; or a victim's, but for one bit of its tag. */
static void forge(struct signin *forger)
{
	uint8_t state[16];
	unsigned how = chance_below(&world.nas, 6);
	struct signin *victim = how < 3 ? victim_of(forger, false) : NULL;
	chance_fill(&world.nas, state, sizeof(state));
	if (victim && victim->state_length == sizeof(state)) {
		memcpy(state, victim->state, sizeof(state));
		state[chance_between(&world.nas, 8, 15)] ^=
			(uint8_t)(1u << chance_below(&world.nas, 8));
		transmit(request(victim->nas, 0, victim, true, state, sizeof(state)));
		return;
	}
	if (how != 5)
		memcpy(state,
		       (const uint8_t[]){0xa7, (uint8_t)(how % 2 + 1), 0,
					 (uint8_t)chance_below(&world.nas, 4), 0, 0, 0,
					 (uint8_t)chance_below(&world.nas, 4)},
		       8);
	transmit(request(forger->nas, 0, forger, true, state, sizeof(state)));
}

static void on_crime(void *context)
{
	struct signin *signin = context;
	if (signin->over)
		return;
	if (signin->manner == THIEF)
		steal(signin);
	else
		forge(signin);
	if (++signin->tries < 20)
		event_at(world.now + chance_between(&world.nas, 20, 900) * RG_MS, on_crime, signin);
	else
		signin->over = true;
}

static void on_begin(void *context)
{
	struct signin *signin = context;
	if (signin->kind == HOME_TLS)
		tls_laptop_begin(signin, town_folder());
	else
		laptop_begin(signin);
	if (signin->manner == THIEF || signin->manner == FORGER)
		on_crime(signin);
	else
		ask(signin, 0);
}

/* Junk from anywhere, a secret that is wrong, answers to nothing. */
static void on_stranger(void *context)
{
	struct pdu pdu;
	uint8_t authenticator[16];
	struct chance *chance = &world.nas;
	struct nas *nas = &nases[chance_below(chance, world.plan.nases)];
	struct spot from = {chance_permille(chance, 300) ? 0x0a090909u : nas->spots[0].ip,
			    (uint16_t)chance_between(chance, 6000, 6003)};
	static const uint8_t codes[] = {1, 1, 1, 1, 2, 3, 4, 11, 12, 40, 255};
	(void)context;
	chance_fill(chance, authenticator, sizeof(authenticator));
	pdu_begin(&pdu, codes[chance_below(chance, sizeof(codes))], (uint8_t)chance_draw(chance),
		  authenticator, chance_permille(chance, 700));
	pdu_add_text(&pdu, RG_USER_NAME, "p0@alpha.nl");
	pdu_add_eap(&pdu, "\2\1\0\x10\1p0@alpha.nl", 16);
	pdu_sign_request(&pdu, "not the secret");
	net_send(from, gateway_of(nas, AUTH_PORT), pdu.bytes,
		 chance_permille(chance, 200) ? chance_below(chance, 40) : pdu.length, NULL);
}

static void on_status(void *context)
{
	struct pdu pdu;
	uint8_t authenticator[16];
	struct nas *nas = context;
	chance_fill(&world.nas, authenticator, sizeof(authenticator));
	pdu_begin(&pdu, RG_STATUS_SERVER, next_id(nas, 0), authenticator, true);
	pdu_sign_request(&pdu, nas->secret);
	transmit(exchange_new(nas, nas->spots[0], gateway_of(nas, AUTH_PORT), &pdu));
}

/* Of a visitor; to be acknowledged once home has it, and never before. */
static void on_accounting(void *context)
{
	static const uint8_t zeros[16], start[] = {0, 0, 0, 1};
	struct pdu pdu;
	struct signin *signin = context;
	pdu_begin(&pdu, RG_ACCOUNTING_REQUEST, next_id(signin->nas, 0), zeros, false);
	add_common(&pdu, signin);
	pdu_add(&pdu, 40, start, sizeof(start));
	pdu_add_text(&pdu, 44, "a session");
	pdu_sign_accounting(&pdu, signin->nas->secret);
	struct exchange *exchange = exchange_new(signin->nas, signin->nas->spots[0],
						 gateway_of(signin->nas, ACCT_PORT), &pdu);
	exchange->signin = signin;
	transmit(exchange);
}

/* What a peer gets of a realm whose home sends it here again. */
void nas_loop_back(struct signin *signin, const uint8_t *packet, size_t length)
{
	struct pdu pdu;
	uint8_t authenticator[16];
	struct nas *proxy = &nases[PROXY];
	chance_fill(&world.nas, authenticator, sizeof(authenticator));
	pdu_begin(&pdu, RG_ACCESS_REQUEST, next_id(proxy, 0), authenticator, true);
	for (size_t at = 20; at < length; at += packet[at + 1])
		if (packet[at] != 80)
			pdu_add(&pdu, packet[at], packet + at + 2, packet[at + 1] - 2u);
	if (pdu.length > 3900)
		broken("a loop that does not end");
	pdu_sign_request(&pdu, proxy->secret);
	struct exchange *exchange =
		exchange_new(proxy, proxy->spots[0], gateway_of(proxy, AUTH_PORT), &pdu);
	exchange->signin = signin;
	exchange->futile = true;
	transmit(exchange);
}

void nases_begin(void)
{
	struct chance *chance = &world.nas;
	for (unsigned i = 0; i < NASES_MOST; i++) {
		nases[i].number = i;
		for (unsigned door = 0; door < 2; door++) {
			uint32_t ip = i == FEDERATION ? PEER_NET + 1 : NAS_NET + (i << 8) + 1;
			nases[i].spots[door] = (struct spot){ip, (uint16_t)(3000 + 7 * i + door)};
			nases[i].next_id[door] = (uint8_t)chance_draw(chance);
		}
	}
	for (unsigned i = 0; i < people.count; i++)
		if (people.signins[i].kind != HOME_TLS && chance_permille(chance, 100))
			event_at(world.now + (uint64_t)chance_below(chance, 40000) * RG_MS,
				 on_accounting, &people.signins[i]);
	for (unsigned i = 0; i < people.count; i++)
		event_at(world.now +
				 (uint64_t)chance_below(chance, 1000 * world.plan.span_s) * RG_MS,
			 on_begin, &people.signins[i]);
	for (unsigned i = chance_below(chance, 12); i != 0; i--)
		event_at(world.now + (uint64_t)chance_below(chance, 40000) * RG_MS, on_stranger,
			 NULL);
	for (unsigned i = chance_below(chance, 4); i != 0; i--)
		event_at(world.now + (uint64_t)chance_below(chance, 40000) * RG_MS, on_status,
			 &nases[chance_below(chance, world.plan.nases)]);
}
