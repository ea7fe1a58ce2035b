/* The federation: proxies with a home server behind them all. They answer, are late, silent, gone,
 * say things twice, and things that are not so. And what the gateway may send them: signed, with an
 * Identifier that is free. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define PORTS_MOST 4096

/* One Identifier of one of the gateway's sockets, as its peer sees it. */
struct slot {
	bool known, answered, looped;
	uint8_t authenticator[16];
	uint64_t used;     /* which packet of that socket it was */
	struct pdu *reply; /* to be said again */
};

struct door { /* one socket of the gateway's to one peer */
	struct spot from, to;
	uint64_t packets;
	unsigned open, most_open; /* Identifiers that nobody answered */
	struct slot slots[256];
};

static struct door *doors[PORTS_MOST];
static unsigned door_count;

static bool peer_is_dead[PEERS_MOST];

bool peer_is_at(struct spot spot)
{
	return (spot.ip & 0xffff0000u) == PEER_NET &&
	       (spot.port == AUTH_PORT || spot.port == ACCT_PORT);
}

static unsigned number_of(uint32_t ip)
{
	return ip >> 8 & 0xff;
}

const char *peer_secret(unsigned number)
{
	static const char *const secrets[PEERS_MOST] = {"secret of peer 0", "secret of peer 1",
							"secret of peer 2"};
	return secrets[number];
}

static struct door *door_of(struct spot from, struct spot to)
{
	for (unsigned i = 0; i < door_count; i++)
		if (spot_equal(doors[i]->from, from) && spot_equal(doors[i]->to, to))
			return doors[i];
	must(door_count < PORTS_MOST);
	struct door *door = own(sizeof(*door));
	door->from = from;
	door->to = to;
	doors[door_count++] = door;
	return door;
}

/* An Identifier comes again when it has rested as long as it could: all others that were free came
 * before. */
static void take_slot(struct door *door, struct slot *slot, const uint8_t *bytes)
{
	if (slot->known && door->packets - slot->used + door->most_open < 192)
		broken("Identifier %u of port %u is used again after %u others, beside %u under "
		       "way",
		       bytes[1], door->from.port, (unsigned)(door->packets - slot->used),
		       door->most_open);
	if (!slot->known || slot->answered)
		door->open++;
	if (door->open > door->most_open)
		door->most_open = door->open;
	free(slot->reply);
	*slot = (struct slot){.known = true, .used = ++door->packets};
	memcpy(slot->authenticator, bytes + 4, 16);
}

static bool is_genuine(const uint8_t *bytes, size_t length, const char *secret)
{
	if (!pdu_whole(bytes, length))
		return false;
	if (bytes[0] == RG_ACCOUNTING_REQUEST)
		return pdu_accounting_is_genuine(bytes, length, secret);
	return bytes[20] == 80 && pdu_request_signature(bytes, length, secret) == SIGNED;
}

void peer_sent(struct spot from, struct spot to, const uint8_t *bytes, size_t length)
{
	const char *secret = peer_secret(number_of(to.ip));
	if (!is_genuine(bytes, length, secret))
		broken("a request to a peer that is not signed");
	if (pdu_count(bytes, length, RG_PROXY_STATE) > 17)
		broken("a loop through a peer that is not cut");
	struct door *door = door_of(from, to);
	struct slot *slot = &door->slots[bytes[1]];
	if (!slot->known || memcmp(slot->authenticator, bytes + 4, 16) != 0)
		take_slot(door, slot, bytes);
	size_t name_length = 0;
	const uint8_t *name = pdu_find(bytes, length, RG_USER_NAME, 0, &name_length);
	say("  gateway: code %u, id %u by port %u to peer %u for %.*s", bytes[0], bytes[1],
	    from.port, number_of(to.ip), (int)name_length, name ? (const char *)name : "");
	if (bytes[0] == RG_STATUS_SERVER)
		return;
	const struct signin *signin = name ? signin_of_name((const char *)name, name_length) : NULL;
	if (!signin || (signin->kind != VISITOR && signin->kind != PAP && signin->kind != LOOP))
		broken("what is no visitor's goes to a peer");
}

void peer_answered(struct spot from, struct spot to, const uint8_t *bytes, size_t length)
{
	struct door *door = door_of(to, from);
	struct slot *slot = length >= 20 ? &door->slots[bytes[1]] : NULL;
	if (!slot || !slot->known || slot->answered || !pdu_whole(bytes, length) ||
	    pdu_reply_signature(bytes, length, slot->authenticator,
				peer_secret(number_of(from.ip))) == WRONG)
		return;
	slot->answered = true;
	door->open--;
}

/* Home. */

static void challenge(struct signin *signin, uint8_t *eap, size_t *length)
{
	uint8_t data[11] = {1, (uint8_t)signin->home_round, (uint8_t)signin->rounds};
	size_t filling = chance_below(&world.peer, 900);
	memcpy(data + 3, signin->home_nonce, 8);
	*length = 5 + sizeof(data) + filling;
	eap[0] = 1;
	eap[1] = ++signin->home_eap_id;
	eap[2] = (uint8_t)(*length >> 8);
	eap[3] = (uint8_t)*length;
	eap[4] = TOY_TYPE;
	memcpy(eap + 5, data, sizeof(data));
	memset(eap + 5 + sizeof(data), 'h', filling);
}

static void finish(struct signin *signin, bool accept, uint8_t id, uint8_t *eap, size_t *length)
{
	memcpy(eap, (const uint8_t[]){accept ? 3 : 4, id, 0, 4}, 4);
	*length = 4;
	if (accept)
		signin->accepted_by_home = true;
	else
		signin->rejected_by_home = true;
}

static bool tag_is_right(const struct signin *signin, const uint8_t *eap, size_t length)
{
	uint8_t tag[16];
	laptop_tag(signin, signin->home_nonce, tag);
	return length >= 6 + 8 + 16 && memcmp(tag, eap + 14, 16) == 0;
}

/* What home says to that EAP packet: the code, and EAP in signin->home_answer. 0: nothing. */
static uint8_t home_turn(struct signin *signin, const uint8_t *eap, size_t length)
{
	static const uint8_t codes[] = {0, RG_ACCESS_CHALLENGE, 0, RG_ACCESS_ACCEPT,
					RG_ACCESS_REJECT};
	bool begins = signin->home_heard < 0;
	if (length < 5 || eap[0] != 2 || (size_t)(eap[2] << 8 | eap[3]) != length)
		return 0;
	if (!begins && eap[1] == signin->home_heard) /* again: by another way, or once more */
		return codes[signin->home_answer[0]];
	if (begins ? eap[4] != 1
		   : eap[1] != signin->home_eap_id || signin->accepted_by_home ||
			     signin->rejected_by_home)
		return 0;
	signin->home_heard = eap[1];
	if (begins) {
		signin->home_eap_id = eap[1];
		chance_fill(&world.peer, signin->home_nonce, sizeof(signin->home_nonce));
		challenge(signin, signin->home_answer, &signin->home_answer_length);
	} else if (eap[4] == TOY_TYPE && length > 6 && eap[5] == 1 &&
		   eap[6] == signin->home_round && signin->home_round < signin->rounds) {
		signin->home_round++;
		challenge(signin, signin->home_answer, &signin->home_answer_length);
	} else {
		bool accept = eap[4] == TOY_TYPE && eap[5] == 2 &&
			      tag_is_right(signin, eap, length) && signin_may(signin);
		finish(signin, accept, eap[1], signin->home_answer, &signin->home_answer_length);
	}
	return codes[signin->home_answer[0]];
}

static uint8_t password_turn(struct signin *signin, const struct flight *flight, const char *secret)
{
	char password[129];
	bool right = pdu_password(flight->bytes, flight->length, secret, password) &&
		     strcmp(password, signin->password) == 0 && signin_may(signin);
	if (right)
		signin->accepted_by_home = true;
	else
		signin->rejected_by_home = true;
	return right ? RG_ACCESS_ACCEPT : RG_ACCESS_REJECT;
}

/* Answers. */

struct asking {
	const struct flight *flight;
	struct signin *signin; /* NULL: Status-Server */
	const char *secret;
};

static void compose(struct pdu *pdu, const struct asking *asking, uint8_t code, bool sign)
{
	const struct flight *flight = asking->flight;
	struct signin *signin = asking->signin;
	size_t length;
	const uint8_t *value;
	pdu_begin(pdu, code, flight->bytes[1], flight->bytes + 4, sign);
	if (signin && signin->kind == VISITOR && flight->bytes[0] == RG_ACCESS_REQUEST) {
		pdu_add_eap(pdu, signin->home_answer, signin->home_answer_length);
		if (code == RG_ACCESS_CHALLENGE)
			pdu_add(pdu, RG_STATE, signin->person, strlen(signin->person));
	}
	if (signin && code == RG_ACCESS_ACCEPT) {
		uint8_t msk[64];
		laptop_msk(signin, signin->home_nonce, msk);
		pdu_add_keys(pdu, msk, flight->bytes + 4, asking->secret);
		pdu_add_text(pdu, 11, "a filter of the home");
	}
	for (unsigned nth = 0;
	     (value = pdu_find(flight->bytes, flight->length, RG_PROXY_STATE, nth, &length)); nth++)
		pdu_add(pdu, RG_PROXY_STATE, value, length);
	pdu_sign_reply(pdu, flight->bytes + 4, asking->secret);
}

static void reply(const struct flight *flight, const struct pdu *pdu, uint64_t delay)
{
	if (delay == 0)
		net_send(flight->to, flight->from, pdu->bytes, pdu->length, NULL);
	else
		net_send_safely(flight->to, flight->from, pdu->bytes, pdu->length, NULL, delay);
}

/* What no gateway may take for an answer. */
static void lie(const struct asking *asking)
{
	struct pdu pdu;
	const struct flight *flight = asking->flight;
	struct asking lying = *asking;
	uint8_t code = RG_ACCESS_ACCEPT;
	bool sign = true;
	switch (chance_below(&world.peer, 5)) {
	case 0: /* by somebody who does not know the secret */
		lying.secret = "no secret";
		break;
	case 1: /* without Message-Authenticator (CVE-2024-3596) */
		sign = false;
		break;
	case 2: /* genuine, and no answer to this */
		code = RG_ACCOUNTING_RESPONSE;
		break;
	case 3: /* of another Identifier */
		compose(&pdu, asking, code, true);
		pdu.bytes[1]++;
		net_send_safely(flight->to, flight->from, pdu.bytes, pdu.length, NULL, RG_MS);
		return;
	default: /* from another port */
		compose(&pdu, asking, code, true);
		net_send_safely((struct spot){flight->to.ip, 1899}, flight->from, pdu.bytes,
				pdu.length, NULL, RG_MS);
		return;
	}
	compose(&pdu, &lying, code, sign);
	net_send_safely(flight->to, flight->from, pdu.bytes, pdu.length, NULL, RG_MS);
}

static void answer(const struct asking *asking, uint8_t code, struct slot *slot)
{
	const struct flight *flight = asking->flight;
	uint64_t late = 0;
	slot->reply = own(sizeof(*slot->reply));
	compose(slot->reply, asking, code, code != RG_ACCOUNTING_RESPONSE);
	if (chance_permille(&world.peer, world.plan.moods))
		switch (chance_below(&world.peer, 4)) {
		case 0:
			return; /* silent; a repeat is answered */
		case 1:
			late = chance_between(&world.peer, 3000, 29000) * RG_MS;
			break;
		case 2:
			if (asking->signin && code != RG_ACCOUNTING_RESPONSE)
				lie(asking);
			break;
		default:
			reply(flight, slot->reply, 0);
		}
	reply(flight, slot->reply, late);
}

static uint8_t decide(struct asking *asking, struct slot *slot)
{
	uint8_t eap[RG_RADIUS_MOST];
	const struct flight *flight = asking->flight;
	size_t length;
	if (flight->bytes[0] == RG_STATUS_SERVER)
		return world.plan.status_server ? RG_ACCESS_ACCEPT : 0;
	const uint8_t *name = pdu_find(flight->bytes, flight->length, RG_USER_NAME, 0, &length);
	asking->signin = signin_of_name((const char *)name, length);
	if (flight->bytes[0] == RG_ACCOUNTING_REQUEST) {
		asking->signin->accounted = true;
		return RG_ACCOUNTING_RESPONSE;
	}
	switch (asking->signin->kind) {
	case VISITOR:
		length = pdu_eap(flight->bytes, flight->length, eap);
		return home_turn(asking->signin, eap, length);
	case PAP:
		return password_turn(asking->signin, flight, asking->secret);
	case LOOP:
		if (!slot->looped)
			nas_loop_back(asking->signin, flight->bytes, flight->length);
		slot->looped = true;
		return 0;
	case HOME_TOY:
	case HOME_ASK:
	case HOME_TLS:
	case FOREIGN:
	case KINDS:
		break;
	}
	return 0;
}

void peer_receive(const struct flight *flight)
{
	unsigned number = number_of(flight->to.ip);
	struct asking asking = {flight, NULL, peer_secret(number)};
	if (peer_is_dead[number]) {
		if (world.seed % 3 == 0)
			socket_refused(flight->from, flight->to);
		return;
	}
	if (!is_genuine(flight->bytes, flight->length, asking.secret))
		return;
	struct slot *slot = &door_of(flight->from, flight->to)->slots[flight->bytes[1]];
	/* A late copy of what has been given up. */
	if (!slot->known || memcmp(slot->authenticator, flight->bytes + 4, 16) != 0)
		return;
	if (slot->reply) {
		reply(flight, slot->reply, 0);
		return;
	}
	uint8_t code = decide(&asking, slot);
	if (code != 0)
		answer(&asking, code, slot);
}

static void on_flap(void *context)
{
	bool *dead = context;
	*dead = !*dead;
	say("peer %u %s", (unsigned)(dead - peer_is_dead), *dead ? "goes away" : "is back");
}

void peers_begin(void)
{
	for (unsigned i = 0; i < PEERS_MOST; i++)
		peer_is_dead[i] = world.plan.dead_peer == i + 1;
	for (unsigned i = 0; i < world.plan.flaps; i++)
		event_at(world.now + (uint64_t)chance_below(&world.peer, 60000) * RG_MS, on_flap,
			 &peer_is_dead[chance_below(&world.peer, world.plan.peers)]);
}

void peers_end(void)
{
	while (door_count != 0) {
		struct door *door = doors[--door_count];
		for (unsigned i = 0; i < 256; i++)
			free(door->slots[i].reply);
		free(door);
	}
}
