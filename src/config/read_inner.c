/* inner_methods: with what people sign in inside the tunnels of a realm. */
#include <string.h>

#include "config/rows.h"
#include "core/text.h"
#include "module/module.h"
#include "roamgate/directory.h"

/* Those that come without being named, in the order offered: all that the directory can verify. */
static const struct inner {
	const char *label;
	unsigned needs; /* RG_OFFERS_* */
	bool eap;       /* a module's method; PEAP runs no other */
	bool unasked;
} inners[] = {
	{"mschapv2", RG_OFFERS_MSCHAPV2, true, true},
	{"gtc", RG_OFFERS_PASSWORD, true, true},
	{"pap", RG_OFFERS_PASSWORD, false, true},
	{"tls", RG_OFFERS_IDENTITY, true, false},
};

#define INNERS (sizeof(inners) / sizeof(inners[0]))

bool inner_only(const char *label)
{
	return strcmp(label, "mschapv2") == 0 || strcmp(label, "gtc") == 0 ||
	       strcmp(label, "pap") == 0 || strcmp(label, "md5") == 0;
}

static const struct inner *inner_find(const char *label)
{
	for (size_t i = 0; i < INNERS; i++)
		if (strcmp(inners[i].label, label) == 0)
			return &inners[i];
	return NULL;
}

static const char *needs_text(unsigned needs)
{
	return needs & RG_OFFERS_MSCHAPV2   ? "check MSCHAPv2"
	       : needs & RG_OFFERS_PASSWORD ? "check passwords"
					    : "look up identities";
}

/* One more; false: it cannot be loaded, or was there already. */
static bool inner_add(struct rg_eap_inner *to, const struct rg_eap_method **methods,
		      const struct inner *inner)
{
	size_t count = 0;
	const struct rg_eap_method *method = inner->eap ? module_eap_by_label(inner->label) : NULL;
	if (strcmp(inner->label, "pap") == 0) {
		bool twice = to->pap;
		to->pap = true;
		return !twice;
	}
	if (strcmp(inner->label, "mschapv2") == 0)
		to->mschapv2 = true;
	for (; methods[count]; count++)
		if (methods[count] == method)
			return false;
	methods[count] = method;
	return method;
}

/* False: the module that serves it is not there. */
static bool inner_named(struct rg_complaint *at, const struct rg_realm *realm, const char *label,
			const struct rg_eap_method **methods, struct rg_eap_inner *to,
			unsigned offers)
{
	static const char *const labels[] = {"mschapv2", "gtc", "pap", "tls", NULL};
	char hint[128];
	const struct inner *inner = inner_find(label);
	bool there = !inner || !inner->eap || module_eap_by_label(label);
	if (!inner)
		complain_error(at, "inner_methods", "there is no inner method \"%s\"%s", label,
			       hint_text(label, labels, hint));
	else if (inner->needs & ~offers)
		complain_error(at, "inner_methods",
			       "\"%s\" needs a directory that can %s, which \"%s\" does not offer "
			       "as it is set up",
			       label, needs_text(inner->needs), realm->directory.type);
	else if (!there)
		module_wanted(at, "inner_methods", label, "eap_", label);
	else if (!inner_add(to, methods, inner))
		complain_error(at, "inner_methods", "\"%s\" is there twice", label);
	return there;
}

/* A tunnel with nothing to run inside, or with nothing that most laptops know. */
static void tunnel_judge(struct rg_complaint *at, const struct rg_realm *realm, const char *label,
			 const struct rg_eap_inner *inner)
{
	bool peap = strcmp(label, "peap") == 0;
	bool nothing = !inner->methods[0] && (peap || !inner->pap);
	if (nothing && realm->eap.inner_labels.count != 0)
		complain_error(at, "inner_methods", "none of them runs inside \"%s\"", label);
	else if (nothing)
		complain_error(at, "methods",
			       "nothing is left to run inside \"%s\": directory \"%s\" serves none "
			       "of its inner methods as "
			       "it is set up",
			       label, realm->directory.type);
	else if (peap && !inner->mschapv2 && realm->eap.inner_labels.count == 0)
		complain_warning(
			at, "methods",
			"\"peap\" runs without MSCHAPv2, which directory \"%s\" cannot check as it "
			"is set up: Windows "
			"has no other password method in it (say inner_methods to keep it so)",
			realm->directory.type);
}

void inner_read(struct rg_complaint *at, struct rg_realm *realm, unsigned offers)
{
	struct rg_eap_settings *eap = &realm->eap;
	const struct rg_eap_method **methods = arena_alloc(
		&at->reading->raddb->arena, (INNERS + 1) * sizeof(struct rg_eap_method *));
	bool tunnel = false, all_there = true;
	memset(methods, 0, (INNERS + 1) * sizeof(struct rg_eap_method *));
	eap->inner.methods = methods;
	eap->inner.binding_required = eap->cryptobinding;
	for (size_t i = 0; eap->methods && eap->methods[i]; i++)
		tunnel |= eap->methods[i]->tunnel;
	if (!tunnel && eap->inner_labels.count != 0)
		complain_warning(at, "inner_methods",
				 "has no effect: no tunnel (\"peap\", \"ttls\") is among methods");
	if (!tunnel)
		return;
	for (size_t i = 0; i < eap->inner_labels.count; i++)
		all_there &= inner_named(at, realm, eap->inner_labels.items[i], methods,
					 &eap->inner, offers);
	for (size_t i = 0; i < INNERS && eap->inner_labels.count == 0; i++)
		if (inners[i].unasked && (inners[i].needs & ~offers) == 0)
			inner_add(&eap->inner, methods, &inners[i]);
	for (size_t i = 0; all_there && eap->methods[i]; i++)
		if (eap->methods[i]->tunnel)
			tunnel_judge(at, realm, eap->methods[i]->label, &eap->inner);
}
