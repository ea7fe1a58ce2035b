#include "config/certificate_files.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "config/source.h"
#include "core/secret.h"
#include "core/text.h"

#define FILE_MOST ((size_t)64 << 20)
#define WARN_DAYS 30

/* The same mistake has another name and other consequences in EAP and in RadSec. */
struct words {
	const char *ca; /* the key */
	const char *leaf_ended, *ca_ended, *crl_ended;
};

static const struct words eap_words = {
	.ca = "client_ca",
	.leaf_ended = ": laptops refuse this server",
	.ca_ended = ": nobody's certificate is good any more",
	.crl_ended = ": everyone of this realm is refused (revocation-unavailable)",
};

static const struct words radsec_words = {
	.ca = "ca",
	.leaf_ended = ": peers refuse this gateway",
	.ca_ended = ": no peer's certificate is good any more",
	.crl_ended = ": every peer is refused until there is a new one",
};

struct judge {
	struct rg_arena *arena;
	unsigned shown;
	const struct words *words;
	const struct rg_file_finding *first, **last;
	STACK_OF(X509) * chain, *authorities;
};

static void found(struct judge *judge, bool error, const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void found(struct judge *judge, bool error, const char *key, const char *format, ...)
{
	char message[512];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	struct rg_file_finding *finding = arena_alloc(judge->arena, sizeof(*finding));
	*finding = (struct rg_file_finding){
		.error = error, .key = key, .message = arena_text(judge->arena, message)};
	*judge->last = finding;
	judge->last = &finding->next;
}

/* A file's contents, to be freed by contents_close; NULL: it is not there. */
static BIO *contents_open(const char *path, char **text, size_t *length)
{
	*text = path ? file_read(path, FILE_MOST, length) : NULL;
	ERR_clear_error();
	return *text ? BIO_new_mem_buf(*text, (int)*length) : NULL;
}

static void contents_close(BIO *bio, char *text, size_t length)
{
	BIO_free(bio);
	if (text)
		secret_wipe(text, length);
	free(text);
	ERR_clear_error();
}

static bool is_pem(const char *text)
{
	return strstr(text, "-----BEGIN ");
}

/* What PEM_read_* leaves at the end of a file whose every part was good. */
static bool ended_well(void)
{
	unsigned long error = ERR_peek_last_error();
	return error == 0 ||
	       (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE);
}

static STACK_OF(X509) *certificates_read(struct judge *judge, const char *key, const char *path)
{
	char *text;
	size_t length = 0;
	BIO *bio = contents_open(path, &text, &length);
	if (!bio)
		return NULL;
	STACK_OF(X509) *certificates = sk_X509_new_null();
	X509 *one;
	bool pem = is_pem(text);
	while ((one = pem ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : d2i_X509_bio(bio, NULL))) {
		sk_X509_push(certificates, one);
		if (!pem)
			break;
	}
	if (pem && !ended_well())
		found(judge, true, key, "certificate %d of the file is broken",
		      sk_X509_num(certificates) + 1);
	else if (sk_X509_num(certificates) == 0)
		found(judge, true, key, "holds no certificate");
	contents_close(bio, text, length);
	return certificates;
}

static void subject_print(const X509_NAME *name, char out[200])
{
	char line[160] = "";
	BIO *bio = BIO_new(BIO_s_mem());
	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		BIO_read(bio, line, sizeof(line) - 1);
	BIO_free(bio);
	text_escape(out, 200, span_text(line));
}

/* "ended 3 days ago", "ends in 12 days", with what; nothing where there is time left. */
static void end_judge(struct judge *judge, const char *key, const char *what, const ASN1_TIME *end,
		      const char *consequence)
{
	int days = 0, seconds = 0;
	if (!end || !ASN1_TIME_diff(&days, &seconds, NULL, end)) {
		found(judge, false, key, "%s: its end cannot be read", what);
		return;
	}
	if (days < 0 || seconds < 0)
		found(judge, false, key, "%s ended %d day%s ago%s", what, -days,
		      text_plural((uint64_t)-days), consequence);
	else if (days < WARN_DAYS)
		found(judge, false, key, "%s ends in %d day%s", what, days,
		      text_plural((uint64_t)days));
}

static bool cn_of(X509 *certificate, char *out, size_t capacity)
{
	X509_NAME *name = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	return at >= 0 && X509_NAME_get_text_by_NID(name, NID_commonName, out, (int)capacity) > 0;
}

/* Calls for what laptops refuse: names that are wildcards, a CN that stands in no dNSName. */
static void names_judge(struct judge *judge, X509 *leaf)
{
	char cn[256] = "";
	bool has_cn = cn_of(leaf, cn, sizeof(cn)), listed = false, wildcard = has_cn && strchr(cn, '*');
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_DNS)
			continue;
		struct rg_span dns = span_of(ASN1_STRING_get0_data(name->d.dNSName),
					     (size_t)ASN1_STRING_length(name->d.dNSName));
		listed = listed || text_equal_nocase(dns, span_text(cn));
		wildcard = wildcard || (dns.length && memchr(dns.data, '*', dns.length));
	}
	if (wildcard)
		found(judge, false, "certificate", "has a wildcard name: Windows and others refuse those");
	if (!has_cn || !listed)
		found(judge, false, "certificate",
		      "its CN is no dNSName of its subjectAltName: some laptops refuse that");
	GENERAL_NAMES_free(names);
}

/* Who calls, and who is called, looks at the names in the other side's subjectAltName and never at its CN
 * (draft-ietf-radext-radiusdtls-bis); libraries look at its extended key usage, where there is one. */
static void radsec_leaf_judge(struct judge *judge, X509 *leaf)
{
	bool limited = X509_get_extension_flags(leaf) & EXFLAG_XKUSAGE;
	uint32_t usage = limited ? X509_get_extended_key_usage(leaf) : UINT32_MAX;
	if ((judge->shown & RG_SHOWN_TO_CLIENTS) && !(usage & XKU_SSL_SERVER))
		found(judge, false, "certificate",
		      "lacks the extended key usage serverAuth: peers that call this gateway refuse it");
	if ((judge->shown & RG_SHOWN_TO_SERVERS) && !(usage & XKU_SSL_CLIENT))
		found(judge, false, "certificate",
		      "lacks the extended key usage clientAuth: peers that this gateway calls refuse it");
	if (X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1) < 0)
		found(judge, false, "certificate",
		      "has no subjectAltName: peers know a gateway by nothing else");
}

static void eap_leaf_judge(struct judge *judge, X509 *leaf)
{
	uint32_t flags = X509_get_extension_flags(leaf);
	if (!(flags & EXFLAG_XKUSAGE) || !(X509_get_extended_key_usage(leaf) & XKU_SSL_SERVER))
		found(judge, false, "certificate", "lacks the extended key usage serverAuth");
	names_judge(judge, leaf);
}

static void leaf_judge(struct judge *judge, X509 *leaf)
{
	end_judge(judge, "certificate", "the certificate", X509_get0_notAfter(leaf),
		  judge->words->leaf_ended);
	if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0)
		found(judge, false, "certificate", "is not valid yet");
	if (judge->shown & RG_SHOWN_TO_LAPTOPS)
		eap_leaf_judge(judge, leaf);
	else
		radsec_leaf_judge(judge, leaf);
}

static void chain_judge(struct judge *judge)
{
	STACK_OF(X509) *chain = judge->chain;
	if (sk_X509_num(chain) > 0)
		leaf_judge(judge, sk_X509_value(chain, 0));
	for (int i = 1; i < sk_X509_num(chain); i++) {
		X509 *one = sk_X509_value(chain, i);
		char subject[200];
		subject_print(X509_get_subject_name(one), subject);
		if (X509_get_extension_flags(one) & EXFLAG_SS) {
			if (judge->shown & RG_SHOWN_TO_LAPTOPS)
				found(judge, false, "certificate",
				      "sends the root \"%s\" along, which only costs fragments", subject);
		} else if (X509_check_issued(one, sk_X509_value(chain, i - 1)) != X509_V_OK)
			found(judge, false, "certificate", "\"%s\" did not issue the one before it", subject);
		else
			end_judge(judge, "certificate", "an intermediate certificate",
				  X509_get0_notAfter(one), judge->words->leaf_ended);
	}
}

static int passphrase_wanted(char *buffer, int size, int writing, void *asked)
{
	(void)buffer;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

/* Which of the chain a key belongs to, or -1. */
static int key_owner(const struct judge *judge, EVP_PKEY *key)
{
	for (int i = 0; i < sk_X509_num(judge->chain); i++)
		if (EVP_PKEY_eq(X509_get0_pubkey(sk_X509_value(judge->chain, i)), key) == 1)
			return i;
	return -1;
}

static void key_judge(struct judge *judge, const char *path)
{
	char *text;
	struct stat st;
	size_t length = 0;
	bool asked = false;
	BIO *bio = contents_open(path, &text, &length);
	if (!bio)
		return;
	EVP_PKEY *key = is_pem(text) ? PEM_read_bio_PrivateKey(bio, NULL, passphrase_wanted, &asked)
				     : d2i_PrivateKey_bio(bio, NULL);
	int owner = key ? key_owner(judge, key) : -1;
	if (asked)
		found(judge, true, "private_key", "is encrypted: nobody is there to type its passphrase");
	else if (!key)
		found(judge, true, "private_key", "holds no private key");
	else if (owner < 0 && sk_X509_num(judge->chain) > 0)
		found(judge, true, "private_key", "is not the key of the certificate");
	else if (owner > 0)
		found(judge, true, "private_key",
		      "is the key of certificate %d of the file: the one that is shown must be the first",
		      owner + 1);
	if (stat(path, &st) == 0 && (st.st_mode & S_IROTH))
		found(judge, false, "private_key", "can be read by everyone (mode %04o)",
		      (unsigned)st.st_mode & 07777);
	EVP_PKEY_free(key);
	contents_close(bio, text, length);
}

static void authorities_judge(struct judge *judge)
{
	int count = sk_X509_num(judge->authorities), usable = 0;
	for (int i = 0; i < count; i++) {
		X509 *one = sk_X509_value(judge->authorities, i);
		char subject[200];
		if (X509_check_ca(one) != 0) {
			usable++;
			end_judge(judge, judge->words->ca, "the CA", X509_get0_notAfter(one),
				  judge->words->ca_ended);
			continue;
		}
		subject_print(X509_get_subject_name(one), subject);
		found(judge, false, judge->words->ca, "\"%s\" is no CA", subject);
	}
	if (count > 0 && usable == 0)
		found(judge, true, judge->words->ca, "holds no certificate of a CA");
}

/* Whether some CA has issued and signed that list. */
static bool crl_is_signed(const struct judge *judge, X509_CRL *crl)
{
	for (int i = 0; i < sk_X509_num(judge->authorities); i++) {
		X509 *one = sk_X509_value(judge->authorities, i);
		if (X509_NAME_cmp(X509_get_subject_name(one), X509_CRL_get_issuer(crl)) == 0 &&
		    X509_CRL_verify(crl, X509_get0_pubkey(one)) == 1)
			return true;
	}
	return false;
}

static void crl_judge(struct judge *judge, X509_CRL *crl)
{
	char issuer[200];
	subject_print(X509_CRL_get_issuer(crl), issuer);
	if (sk_X509_num(judge->authorities) > 0 && !crl_is_signed(judge, crl))
		found(judge, true, "crl", "the list of \"%s\" is signed by no CA of %s", issuer,
		      judge->words->ca);
	if (X509_CRL_get0_nextUpdate(crl))
		end_judge(judge, "crl", "the list", X509_CRL_get0_nextUpdate(crl),
			  judge->words->crl_ended);
}

static void crls_judge(struct judge *judge, const char *path)
{
	char *text;
	size_t length = 0;
	int count = 0;
	BIO *bio = contents_open(path, &text, &length);
	if (!bio)
		return;
	X509_CRL *crl;
	bool pem = is_pem(text);
	while ((crl = pem ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : d2i_X509_CRL_bio(bio, NULL))) {
		count++;
		crl_judge(judge, crl);
		X509_CRL_free(crl);
		if (!pem)
			break;
	}
	if (pem && !ended_well())
		found(judge, true, "crl", "list %d of the file is broken", count + 1);
	else if (count == 0)
		found(judge, true, "crl", "holds no revocation list");
	contents_close(bio, text, length);
}

const struct rg_file_finding *certificate_files_judge(struct rg_arena *arena,
						      const struct rg_certificate_files *files)
{
	struct judge judge = {
		.arena = arena,
		.shown = files->shown,
		.words = files->shown & RG_SHOWN_TO_LAPTOPS ? &eap_words : &radsec_words,
		.last = &judge.first,
	};
	judge.chain = certificates_read(&judge, "certificate", files->certificate);
	judge.authorities = certificates_read(&judge, judge.words->ca, files->ca);
	chain_judge(&judge);
	key_judge(&judge, files->private_key);
	authorities_judge(&judge);
	crls_judge(&judge, files->crl);
	sk_X509_pop_free(judge.chain, X509_free);
	sk_X509_pop_free(judge.authorities, X509_free);
	return judge.first;
}
