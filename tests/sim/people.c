/* Who signs in, how, and what the truth about them is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

struct people people;

static const char *const realms[KINDS] = {
	[HOME_TOY] = "alpha.nl",    [HOME_ASK] = "beta.nl", [HOME_TLS] = "delta.nl",
	[VISITOR] = "visit.nl",     [PAP] = "pap.nl",       [LOOP] = "loop.nl",
	[FOREIGN] = "x.refused.nl",
};

const char *kind_word(enum kind kind)
{
	return realms[kind];
}

const char *manner_word(enum manner manner)
{
	static const char *const words[] = {"honest", "wrong",  "abandons",
					    "thief",  "forger", "babbler"};
	return words[manner];
}

/* The loop needs a proxy that the nases' plan always has. */
static enum kind draw_kind(struct chance *chance)
{
	if (world.plan.crowd)
		return chance_permille(chance, 30) ? HOME_TOY : VISITOR;
	unsigned sort = chance_below(chance, 100);
	if (sort < 30)
		return HOME_TOY;
	if (sort < 45)
		return HOME_ASK;
	if (sort < 55)
		return world.plan.tls ? HOME_TLS : HOME_TOY;
	if (sort < 85)
		return VISITOR;
	if (sort < 92)
		return PAP;
	return sort < 97 ? LOOP : FOREIGN;
}

static enum manner draw_manner(struct chance *chance, enum kind kind)
{
	unsigned sort = chance_below(chance, 100);
	if (sort < 65 || world.plan.crowd)
		return HONEST;
	if (sort < 75)
		return WRONG_PROOF;
	if (kind == PAP || kind == HOME_TLS)
		return HONEST;
	if (sort < 82)
		return ABANDONS;
	if (kind == VISITOR)
		return sort < 88 ? BABBLER : HONEST;
	return sort < 88 ? THIEF : sort < 94 ? FORGER : BABBLER;
}

static enum rg_outcome draw_truth(struct chance *chance)
{
	static const enum rg_outcome others[] = {RG_OUTCOME_NO_ENTRY, RG_OUTCOME_AMBIGUOUS,
						 RG_OUTCOME_DISABLED, RG_OUTCOME_LOCKED,
						 RG_OUTCOME_PASSWORD_EXPIRED};
	if (!chance_permille(chance, 200))
		return RG_OUTCOME_FOUND;
	return others[chance_below(chance, sizeof(others) / sizeof(others[0]))];
}

static void draw_one(struct signin *signin, unsigned number, struct chance *chance)
{
	*signin = (struct signin){.number = number, .home_heard = -1, .truth = RG_OUTCOME_FOUND};
	signin->kind = draw_kind(chance);
	signin->manner = draw_manner(chance, signin->kind);
	signin->nas = &nases[chance_permille(chance, 100) ? FEDERATION
							  : chance_below(chance, world.plan.nases)];
	if (!world.plan.crowd)
		signin->truth = draw_truth(chance);
	signin->member = !chance_permille(chance, 100);
	signin->nonce = chance_draw(chance);
	signin->rounds = chance_below(chance, 4);
	signin->dropout = chance_below(chance, 3);
	signin->wrong_password_first = chance_permille(chance, 300);
	signin->eap_start = signin->kind <= HOME_ASK && chance_permille(chance, 100);
	signin->mtu = chance_permille(chance, 200) ? chance_between(chance, 40, 1500) : 0;
	chance_fill(chance, signin->secret, sizeof(signin->secret));
	snprintf(signin->password, sizeof(signin->password), "geheim-%08x",
		 (unsigned)chance_draw(chance));
	snprintf(signin->person, sizeof(signin->person), "p%u@%s", number, realms[signin->kind]);
	bool anonymous = (signin->kind == HOME_TOY || signin->kind == HOME_ASK) &&
			 chance_permille(chance, 300);
	if (anonymous)
		snprintf(signin->user, sizeof(signin->user), "anonymous@%s", realms[signin->kind]);
	else
		memcpy(signin->user, signin->person, sizeof(signin->user));
}

/* One client's that begin and never go on; the others' go on meanwhile. */
static void half_open(struct signin *signin, struct chance *chance)
{
	signin->kind = HOME_TOY;
	signin->manner = ABANDONS;
	signin->dropout = chance_below(chance, 2);
	signin->nas = &nases[0];
	snprintf(signin->person, sizeof(signin->person), "p%u@alpha.nl", signin->number);
	memcpy(signin->user, signin->person, sizeof(signin->user));
}

void people_draw(void)
{
	struct chance chance = chance_of(world.seed, 2);
	people.count = world.plan.signins;
	must(people.count <= SIGNINS_MOST);
	for (unsigned i = 0; i < people.count; i++) {
		struct signin *signin = &people.signins[i];
		draw_one(signin, i, &chance);
		if (world.plan.half_open && i >= people.count - 120)
			half_open(signin, &chance);
		else if (world.plan.half_open && signin->nas == &nases[0])
			signin->nas = &nases[1];
		say("p%u: %s, %s, outcome %d%s, by %s", i, signin->user,
		    manner_word(signin->manner), (int)signin->truth,
		    signin->member ? "" : ", no member", signin->nas->name);
	}
}

struct signin *signin_of_name(const char *name, size_t length)
{
	unsigned long number = 0;
	size_t at = 1;
	if (length < 3 || name[0] != 'p')
		return NULL;
	for (; at < length && name[at] >= '0' && name[at] <= '9' && number < SIGNINS_MOST; at++)
		number = 10 * number + (unsigned long)(name[at] - '0');
	if (at == 1 || at >= length || name[at] != '@' || number >= people.count)
		return NULL;
	struct signin *signin = &people.signins[number];
	return strlen(signin->person) == length && memcmp(signin->person, name, length) == 0
		       ? signin
		       : NULL;
}

bool signin_may(const struct signin *signin)
{
	if (signin->truth != RG_OUTCOME_FOUND || signin->manner == WRONG_PROOF)
		return false;
	switch (signin->kind) {
	case HOME_TOY:
	case HOME_ASK:
	case HOME_TLS:
		return signin->member && !signin->nas->forbidden;
	case VISITOR:
	case PAP: /* the federation may ask for our own realms only */
		return signin->nas != &nases[FEDERATION];
	case LOOP:
	case FOREIGN:
	case KINDS:
		return false;
	}
	return false;
}

bool signin_unsigned(const struct signin *signin)
{
	return signin->kind == PAP && signin->nas->lenient;
}

bool signin_must(const struct signin *signin)
{
	return signin->manner == HONEST && signin_may(signin) && !signin_unsigned(signin);
}
