#include "roamgate/mschapv2.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "core/secret.h"
#include "core/text.h"

#define SHA1 20

/* Up to four pieces, one after the other. */
static bool sha1(uint8_t out[SHA1], const struct rg_span pieces[], size_t count)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context && EVP_DigestInit_ex(context, EVP_sha1(), NULL);
	for (size_t i = 0; good && i < count; i++)
		good = EVP_DigestUpdate(context, pieces[i].data, pieces[i].length);
	good = good && EVP_DigestFinal_ex(context, out, NULL);
	EVP_MD_CTX_free(context);
	return good;
}

/* ChallengeHash (§8.2). */
static bool challenge_hash(const struct rg_mschapv2 *mschapv2, uint8_t out[8])
{
	uint8_t digest[SHA1];
	const struct rg_span pieces[] = {
		span_of(mschapv2->peer_challenge, RG_MSCHAPV2_CHALLENGE),
		span_of(mschapv2->challenge, RG_MSCHAPV2_CHALLENGE),
		span_text(mschapv2->name),
	};
	if (!sha1(digest, pieces, 3))
		return false;
	memcpy(out, digest, 8);
	return true;
}

/* §4: the name goes into the hash "excluding any domain". */
static struct rg_span without_domain(struct rg_span name)
{
	const uint8_t *slash = name.length ? memchr(name.data, '\\', name.length) : NULL;
	if (!slash)
		return name;
	size_t domain = (size_t)(slash - name.data) + 1;
	return span_of(name.data + domain, name.length - domain);
}

/* What stands before the '@', or all of it. */
static struct rg_span user_of(struct rg_span name)
{
	const uint8_t *at = name.length ? memchr(name.data, '@', name.length) : NULL;
	return at ? span_of(name.data, (size_t)(at - name.data)) : name;
}

/* Windows and others write the name with or without realm, whichever form the Identity has. */
static bool same_person(struct rg_span name, struct rg_span identity)
{
	if (text_equal_nocase(name, identity))
		return true;
	bool both =
		user_of(name).length != name.length && user_of(identity).length != identity.length;
	return !both && text_equal_nocase(user_of(name), user_of(identity));
}

const char *mschapv2_take(struct rg_mschapv2 *mschapv2, struct rg_span response,
			  struct rg_span name, const char *identity)
{
	struct rg_cursor cursor = cursor_over(response);
	struct rg_span peer = cursor_take(&cursor, RG_MSCHAPV2_CHALLENGE);
	cursor_take(&cursor, 8); /* reserved: some supplicants do not send zeros */
	struct rg_span nt_response = cursor_take(&cursor, sizeof(mschapv2->claim.nt_response));
	cursor_u8(&cursor); /* flags */
	if (cursor.failed || cursor_left(&cursor) != 0)
		return "broken MSCHAPv2: a Response of a wrong length";
	name = without_domain(name);
	if (!text_from_span(mschapv2->name, sizeof(mschapv2->name), name))
		return "broken MSCHAPv2: a name that is none";
	if (!same_person(name, without_domain(span_text(identity))))
		return "the name in MSCHAPv2 is not that of the Identity in the tunnel";
	memcpy(mschapv2->peer_challenge, peer.data, peer.length);
	mschapv2->claim =
		(struct rg_claim){.kind = RG_CLAIM_MSCHAPV2, .mschap_name = mschapv2->name};
	memcpy(mschapv2->claim.nt_response, nt_response.data, nt_response.length);
	return challenge_hash(mschapv2, mschapv2->claim.challenge) ? NULL : "no memory";
}

bool mschapv2_authenticator(const struct rg_mschapv2 *mschapv2, const uint8_t hash_hash[16],
			    char out[RG_MSCHAPV2_AUTHENTICATOR + 1])
{
	static const char magic1[] = "Magic server to client signing constant";
	static const char magic2[] = "Pad to make it do more than one iteration";
	uint8_t digest[SHA1];
	const struct rg_span first[] = {
		span_of(hash_hash, 16),
		span_of(mschapv2->claim.nt_response, sizeof(mschapv2->claim.nt_response)),
		span_text(magic1),
	};
	const struct rg_span second[] = {
		span_of(digest, SHA1),
		span_of(mschapv2->claim.challenge, sizeof(mschapv2->claim.challenge)),
		span_text(magic2),
	};
	if (!sha1(digest, first, 3) || !sha1(digest, second, 3))
		return false;
	out[0] = 'S';
	out[1] = '=';
	for (size_t i = 0; i < SHA1; i++)
		snprintf(out + 2 + 2 * i, 3, "%02X", digest[i]);
	return true;
}

/* GetAsymmetricStartKey (RFC 3079 §3.4), as of a server. */
static bool start_key(const uint8_t master[16], const char *magic, uint8_t key[16])
{
	static const uint8_t pad1[40];
	uint8_t pad2[40], digest[SHA1];
	memset(pad2, 0xf2, sizeof(pad2));
	const struct rg_span pieces[] = {
		span_of(master, 16),
		span_of(pad1, sizeof(pad1)),
		span_text(magic),
		span_of(pad2, sizeof(pad2)),
	};
	bool good = sha1(digest, pieces, 4);
	if (good)
		memcpy(key, digest, 16);
	secret_wipe(digest, sizeof(digest));
	return good;
}

bool mschapv2_keys(const struct rg_mschapv2 *mschapv2, const uint8_t hash_hash[16],
		   uint8_t keys[32])
{
	static const char master_magic[] = "This is the MPPE Master Key";
	static const char to_server[] = "On the client side, this is the send key; on the server "
					"side, it is the receive key.";
	static const char to_client[] =
		"On the client side, this is the receive key; on the server "
		"side, it is the send key.";
	uint8_t master[SHA1];
	const struct rg_span pieces[] = {
		span_of(hash_hash, 16),
		span_of(mschapv2->claim.nt_response, sizeof(mschapv2->claim.nt_response)),
		span_text(master_magic),
	};
	bool good = sha1(master, pieces, 3) && start_key(master, to_server, keys) &&
		    start_key(master, to_client, keys + 16);
	secret_wipe(master, sizeof(master));
	return good;
}

/* Windows has a text of its own for each code (§6). The first is for all that is not listed. */
static const struct failure {
	enum rg_reason reason;
	unsigned code;
	const char *message;
} failures[] = {
	{RG_REASON_PASSWORD_WRONG, 691, "Authentication failed"},
	{RG_REASON_DIRECTORY_DISABLED, 647, "Account disabled"},
	{RG_REASON_ACCOUNT_LOCKED, 647, "Account locked"},
	{RG_REASON_PASSWORD_EXPIRED, 648, "Password expired"},
	{RG_REASON_PASSWORD_MUST_CHANGE, 648, "Password must be changed"},
	{RG_REASON_TOO_MANY_ATTEMPTS, 646, "Not now"},
	{RG_REASON_NOT_AUTHORIZED, 649, "No permission"},
};

size_t mschapv2_failure(char out[128], enum rg_reason reason, bool again,
			const uint8_t challenge[RG_MSCHAPV2_CHALLENGE])
{
	char hex[2 * RG_MSCHAPV2_CHALLENGE + 1];
	const struct failure *failure = failures;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].reason == reason)
			failure = &failures[i];
	for (size_t i = 0; i < RG_MSCHAPV2_CHALLENGE; i++)
		snprintf(hex + 2 * i, 3, "%02X", challenge[i]);
	return (size_t)snprintf(out, 128, "E=%u R=%d C=%s V=3 M=%s", failure->code, again, hex,
				failure->message);
}
