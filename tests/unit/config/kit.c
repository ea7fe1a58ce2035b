#include "kit.h"

#include <ftw.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[256];

static const char gateway[] = "gateway = {\n"
			      "  name = \"test\";\n"
			      "  user = \"\";\n"
			      "  modules = [ \"eap_tls\", \"dir_ldap\" ];\n"
			      "};\n"
			      "listen = (\n"
			      "  { address = \"127.0.0.1\"; port = 1812; serves = [ \"auth\" ]; }\n"
			      ");\n";
static const char clients[] = "clients = (\n"
			      "  { name = \"stadhuis\"; site = \"beuningen\";\n"
			      "    addresses = [ \"10.20.0.0/16\", \"fd00:20::/48\" ];\n"
			      "    secret_file = \"secrets/client\";\n"
			      "    operator_name = \"1beuningen.nl\";\n"
			      "    visitor_reply = [ \"Tunnel-Type = VLAN\",\n"
			      "      \"Tunnel-Medium-Type = IEEE-802\",\n"
			      "      \"Tunnel-Private-Group-Id = 900\" ]; }\n"
			      ");\n";
static const char realms[] = "realms = (\n"
			     "  { names = [ \"beuningen.nl\", \"*.beuningen.nl\" ];\n"
			     "    eap = {\n"
			     "      certificate = \"certs/server.pem\";\n"
			     "      private_key = \"certs/server.key\";\n"
			     "      client_ca = \"certs/ca.pem\";\n"
			     "      crl = \"certs/ca.crl\";\n"
			     "    };\n"
			     "    directory = {\n"
			     "      type = \"ldap\";\n"
			     "      uris = [ \"ldap://127.0.0.1:389\" ];\n"
			     "      starttls = false;\n"
			     "      base = \"dc=beuningen,dc=nl\";\n"
			     "      groups = { attribute = \"memberOf\"; };\n"
			     "    };\n"
			     "    authorize = (\n"
			     "      { group = \"cn=ict\"; home = true;\n"
			     "        reply = [ \"Session-Timeout = 3600\" ]; },\n"
			     "      { }\n"
			     "    );\n"
			     "  }\n"
			     ");\n";
static const char peers[] = "peers = (\n"
			    "  { name = \"govroam-1\"; address = \"192.0.2.10\";\n"
			    "    secret_file = \"secrets/peer\"; accepts = true; }\n"
			    ");\n"
			    "routes = (\n"
			    "  { realms = [ \"*\" ]; peers = [ \"govroam-1\" ]; }\n"
			    ");\n"
			    "refuse = [ \"*.example\" ];\n";

static const char radsec[] =
	"credentials = (\n"
	"  { name = \"federation\";\n"
	"    certificate = \"certs/federation.pem\"; private_key = \"certs/federation.key\";\n"
	"    ca = \"certs/ca.pem\"; crl = \"certs/ca.crl\"; }\n"
	");\n"
	"listen = (\n"
	"  { transport = \"tls\"; address = \"127.0.0.1\"; port = 2083; credential = \"federation\"; },\n"
	"  { transport = \"dtls\"; address = \"127.0.0.1\"; credential = \"federation\"; }\n"
	");\n"
	"peers = (\n"
	"  { name = \"tls\"; transport = \"tls\"; host = \"radsec.example.nl\"; credential = \"federation\";\n"
	"    server_names = [ \"radsec.example.nl\" ]; accepts = true;\n"
	"    client_names = [ \"Proxy.example.nl\", \"192.0.2.7\", \"bergen.nl\" ]; },\n"
	"  { name = \"psk\"; transport = \"dtls\"; address = \"192.0.2.9\"; accepts = true;\n"
	"    psk_identity = \"gateway@example.nl\"; psk_file = \"secrets/psk\"; }\n"
	");\n"
	"clients = (\n"
	"  { name = \"hall\"; client_names = [ \"ap.example.nl\" ]; },\n"
	"  { name = \"pub\"; addresses = \"10.7.0.0/16\";\n"
	"    psk_identity = \"pub@example.nl\"; psk = \"the key of the pub and no other\"; }\n"
	");\n"
	"routes = (\n"
	"  { realms = \"test.nl\"; peers = [ \"tls\", \"psk\" ]; }\n"
	");\n";

static void path_of(char *out, size_t capacity, const char *name)
{
	assert_true(snprintf(out, capacity, "%s/%s", root, name) < (int)capacity);
}

void kit_write_octets(const char *name, const void *data, size_t length)
{
	char path[512];
	path_of(path, sizeof(path), name);
	for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	unlink(path);
	if (!data)
		return;
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, length, out), length);
	fclose(out);
	chmod(path, 0600);
}

void kit_write(const char *name, const char *text)
{
	kit_write_octets(name, text, text ? strlen(text) : 0);
}

void kit_mode(const char *name, unsigned mode)
{
	char path[512];
	path_of(path, sizeof(path), name);
	assert_int_equal(chmod(path, mode), 0);
}

void kit_replace(const char *name, const char *from, const char *to)
{
	char path[512], text[16384], changed[32768];
	path_of(path, sizeof(path), name);
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
	fclose(in);
	char *at = strstr(text, from);
	assert_non_null(at);
	*at = '\0';
	snprintf(changed, sizeof(changed), "%s%s%s", text, to, at + strlen(from));
	kit_write(name, changed);
}

void kit_copy(const char *from, const char *to)
{
	char path[512], text[16384];
	path_of(path, sizeof(path), from);
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	size_t length = fread(text, 1, sizeof(text), in);
	fclose(in);
	kit_write_octets(to, text, length);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void kit_remove(void)
{
	if (*root)
		nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	*root = '\0';
}

/* Keys and the CA are the same in every raddb of a process: making them is what takes time. */
static struct {
	EVP_PKEY *ca_key, *other_ca_key, *leaf_key, *other_key;
	X509 *ca;
} pki;

static void extension_add(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	assert_non_null(extension);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

static X509 *certificate_new(const char *cn, EVP_PKEY *key, int days)
{
	X509 *certificate = X509_new();
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
	X509_gmtime_adj(X509_getm_notBefore(certificate), days < 0 ? -400L * 86400 : -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86400L + (days < 0 ? 0 : 3600));
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
				   (const unsigned char *)cn, -1, -1, 0);
	return certificate;
}

static void pki_make(void)
{
	if (pki.ca)
		return;
	pki.ca_key = EVP_EC_gen("P-256");
	pki.other_ca_key = EVP_EC_gen("P-256");
	pki.leaf_key = EVP_EC_gen("P-256");
	pki.other_key = EVP_EC_gen("P-256");
	pki.ca = certificate_new("Test CA", pki.ca_key, 3650);
	extension_add(pki.ca, NID_basic_constraints, "critical,CA:TRUE");
	X509_set_issuer_name(pki.ca, X509_get_subject_name(pki.ca));
	assert_true(X509_sign(pki.ca, pki.ca_key, EVP_sha256()) > 0);
}

static void bio_write(const char *name, BIO *bio)
{
	char *data;
	long length = BIO_get_mem_data(bio, &data);
	kit_write_octets(name, data, (size_t)length);
	BIO_free(bio);
}

void kit_leaf(const struct kit_leaf *wanted)
{
	BIO *pem = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());
	X509 *leaf = certificate_new(wanted->cn, pki.leaf_key, wanted->days);
	char names[300];
	const char *usage = wanted->usage ? wanted->usage : wanted->no_server_auth ? "" : "serverAuth";
	const char *base = wanted->base ? wanted->base : "certs/server";
	X509_set_issuer_name(leaf, X509_get_subject_name(pki.ca));
	if (*usage)
		extension_add(leaf, NID_ext_key_usage, usage);
	if (wanted->dns) {
		snprintf(names, sizeof(names), "DNS:%s", wanted->dns);
		extension_add(leaf, NID_subject_alt_name, names);
	}
	assert_true(X509_sign(leaf, pki.ca_key, EVP_sha256()) > 0);
	PEM_write_bio_X509(pem, leaf);
	if (wanted->with_root)
		PEM_write_bio_X509(pem, pki.ca);
	PEM_write_bio_PKCS8PrivateKey(key, wanted->other_key ? pki.other_key : pki.leaf_key,
				      wanted->passphrase ? EVP_aes_128_cbc() : NULL, wanted->passphrase,
				      wanted->passphrase ? (int)strlen(wanted->passphrase) : 0, NULL, NULL);
	snprintf(names, sizeof(names), "%s.pem", base);
	bio_write(names, pem);
	snprintf(names, sizeof(names), "%s.key", base);
	bio_write(names, key);
	X509_free(leaf);
}

void kit_crl(int days, bool foreign)
{
	BIO *pem = BIO_new(BIO_s_mem());
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *last = X509_gmtime_adj(NULL, -500L * 86400);
	ASN1_TIME *next = X509_gmtime_adj(NULL, days * 86400L + (days < 0 ? 0 : 3600));
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(pki.ca));
	X509_CRL_set1_lastUpdate(crl, last);
	X509_CRL_set1_nextUpdate(crl, next);
	assert_true(X509_CRL_sign(crl, foreign ? pki.other_ca_key : pki.ca_key, EVP_sha256()) > 0);
	PEM_write_bio_X509_CRL(pem, crl);
	bio_write("certs/ca.crl", pem);
	X509_CRL_free(crl);
	ASN1_TIME_free(last);
	ASN1_TIME_free(next);
}

const char *kit_new(void)
{
	const char *tmp = getenv("TMPDIR");
	kit_remove();
	snprintf(root, sizeof(root), "%s/raddb-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(root));
	kit_write("roamgate.cfg", gateway);
	kit_write("clients.d/clients.cfg", clients);
	kit_write("realms.d/beuningen.cfg", realms);
	kit_write("federation.d/peers.cfg", peers);
	kit_write("secrets/client", "a secret of the client\n");
	kit_write("secrets/peer", "a secret of the peer\n");
	pki_make();
	BIO *ca = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(ca, pki.ca);
	bio_write("certs/ca.pem", ca);
	kit_leaf(&(struct kit_leaf){.cn = "radius.beuningen.nl", .dns = "radius.beuningen.nl", .days = 365});
	kit_crl(365, false);
	return root;
}

void kit_radsec(void)
{
	kit_new();
	kit_write("federation.d/radsec.cfg", radsec);
	kit_write("secrets/psk", "a key for TLS-PSK and nothing else\n");
	kit_leaf(&(struct kit_leaf){.base = "certs/federation",
				    .usage = "serverAuth,clientAuth",
				    .cn = "radsec.beuningen.nl",
				    .dns = "radsec.beuningen.nl",
				    .days = 365});
}

struct rg_raddb *kit_load(struct rg_report *report)
{
	char path[512];
	path_of(path, sizeof(path), "roamgate.cfg");
	return raddb_load(path, report);
}

bool kit_found(const struct rg_report *report, bool warning, const char *file, unsigned line,
	       const char *key, const char *word)
{
	const struct rg_finding *list = warning ? report->warnings : report->errors;
	size_t count = warning ? report->warning_count : report->error_count;
	for (size_t i = 0; i < count; i++)
		if ((!file || strcmp(list[i].file, file) == 0) && (line == 0 || list[i].line == line) &&
		    (!key || strcmp(list[i].key, key) == 0) && (!word || strstr(list[i].message, word)))
			return true;
	return false;
}

void kit_show(const struct rg_report *report)
{
	report_print(report, stderr);
}

/* What a process leaves is what LeakSanitizer reports. */
__attribute__((destructor)) static void pki_free(void)
{
	EVP_PKEY_free(pki.ca_key);
	EVP_PKEY_free(pki.other_ca_key);
	EVP_PKEY_free(pki.leaf_key);
	EVP_PKEY_free(pki.other_key);
	X509_free(pki.ca);
	kit_remove();
}
