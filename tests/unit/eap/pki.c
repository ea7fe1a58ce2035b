#include "pki.h"

#include <assert.h>
#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void must(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "pki: %s failed\n", what);
		abort();
	}
}

static void extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	if (!value)
		return;
	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(extension && X509_add_ext(certificate, extension, -1), value);
	X509_EXTENSION_free(extension);
}

static void pad(X509 *certificate, size_t length)
{
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	uint8_t *bytes = malloc(length);
	must(oid && octets && bytes && RAND_bytes(bytes, (int)length) == 1, "padding");
	must(ASN1_OCTET_STRING_set(octets, bytes, (int)length), "padding");
	X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, octets);
	must(extension && X509_add_ext(certificate, extension, -1), "padding");
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(octets);
	ASN1_OBJECT_free(oid);
	free(bytes);
}

static void set_names(X509 *certificate, const struct pki_want *want)
{
	uint64_t serial;
	RAND_bytes((unsigned char *)&serial, sizeof(serial));
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
	X509_NAME *name = X509_get_subject_name(certificate);
	if (want->cn)
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					   (const unsigned char *)want->cn, -1, -1, 0);
	X509_set_issuer_name(certificate, want->issuer
						  ? X509_get_subject_name(want->issuer->certificate)
						  : name);
	bool usual = want->from_s == 0 && want->to_s == 0;
	X509_gmtime_adj(X509_getm_notBefore(certificate), usual ? -86400 : want->from_s);
	X509_gmtime_adj(X509_getm_notAfter(certificate), usual ? 400 * 86400L : want->to_s);
}

/* Edwards curves hash by themselves. */
static const EVP_MD *digest_for(const EVP_PKEY *signer)
{
	return EVP_PKEY_is_a(signer, "ED25519") || EVP_PKEY_is_a(signer, "ED448") ? NULL
										   : EVP_sha256();
}

struct pki pki_make(const struct pki_want *want)
{
	struct pki made;
	if (want->key && EVP_PKEY_up_ref(want->key))
		made.key = want->key;
	else
		made.key = want->rsa_bits ? EVP_RSA_gen((unsigned)want->rsa_bits)
					  : EVP_EC_gen("P-256");
	made.certificate = X509_new();
	must(made.key && made.certificate, "key");
	X509_set_version(made.certificate, X509_VERSION_3);
	set_names(made.certificate, want);
	X509_set_pubkey(made.certificate, made.key);
	X509 *issuer = want->issuer ? want->issuer->certificate : made.certificate;
	extend(made.certificate, issuer, NID_basic_constraints,
	       want->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	extend(made.certificate, issuer, NID_key_usage,
	       want->ca ? "critical,keyCertSign,cRLSign,digitalSignature"
			: "critical,digitalSignature");
	extend(made.certificate, issuer, NID_subject_key_identifier, "hash");
	if (want->issuer)
		extend(made.certificate, issuer, NID_authority_key_identifier, "keyid");
	extend(made.certificate, issuer, NID_ext_key_usage, want->usage);
	extend(made.certificate, issuer, NID_subject_alt_name, want->san);
	extend(made.certificate, issuer, NID_name_constraints, want->constraints);
	if (want->ocsp) {
		char text[256];
		snprintf(text, sizeof(text), "OCSP;URI:%s", want->ocsp);
		extend(made.certificate, issuer, NID_info_access, text);
	}
	if (want->padding)
		pad(made.certificate, want->padding);
	EVP_PKEY *signer = want->issuer ? want->issuer->key : made.key;
	must(X509_sign(made.certificate, signer, digest_for(signer)) > 0, "signing");
	return made;
}

void pki_free(struct pki *pki)
{
	X509_free(pki->certificate);
	EVP_PKEY_free(pki->key);
	*pki = (struct pki){0};
}

char *pki_directory(void)
{
	const char *under = getenv("TMPDIR");
	char *directory = NULL;
	must(asprintf(&directory, "%s/roamgate-test-XXXXXX", under && *under ? under : "/tmp") > 0,
	     "name");
	must(mkdtemp(directory), "mkdtemp");
	return directory;
}

void pki_directory_end(char **directory)
{
	DIR *dir = opendir(*directory);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		char *path = pki_path(*directory, entry->d_name);
		unlink(path);
		free(path);
	}
	if (dir)
		closedir(dir);
	rmdir(*directory);
	free(*directory);
	*directory = NULL;
}

char *pki_path(const char *directory, const char *name)
{
	char *path = NULL;
	must(asprintf(&path, "%s/%s", directory, name) > 0, "path");
	return path;
}

/* As an administrator replaces a file: a new one, renamed over the old. */
static FILE *replace(const char *path, char *temporary, size_t size)
{
	snprintf(temporary, size, "%s.new", path);
	FILE *file = fopen(temporary, "w");
	must(file, path);
	return file;
}

static void replaced(FILE *file, const char *temporary, const char *path)
{
	must(fclose(file) == 0 && rename(temporary, path) == 0, path);
}

void pki_write_certificates(const char *path, X509 *const *certificates, size_t count)
{
	char temporary[512];
	FILE *file = replace(path, temporary, sizeof(temporary));
	for (size_t i = 0; i < count; i++)
		must(PEM_write_X509(file, certificates[i]), path);
	replaced(file, temporary, path);
}

void pki_write_key(const char *path, EVP_PKEY *key)
{
	char temporary[512];
	FILE *file = replace(path, temporary, sizeof(temporary));
	must(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), path);
	replaced(file, temporary, path);
}

X509_CRL *pki_crl(const struct pki *issuer, X509 *const *revoked, long to_s)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *time = ASN1_TIME_new();
	must(crl && time, "crl");
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->certificate));
	X509_gmtime_adj(time, -7200);
	X509_CRL_set1_lastUpdate(crl, time);
	for (; revoked && *revoked; revoked++) {
		X509_REVOKED *entry = X509_REVOKED_new();
		X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(*revoked));
		X509_REVOKED_set_revocationDate(entry, time);
		X509_CRL_add0_revoked(crl, entry);
	}
	X509_gmtime_adj(time, to_s);
	X509_CRL_set1_nextUpdate(crl, time);
	ASN1_TIME_free(time);
	X509_CRL_sort(crl);
	must(X509_CRL_sign(crl, issuer->key, digest_for(issuer->key)) > 0, "crl");
	return crl;
}

void pki_write_crls(const char *path, X509_CRL *const *crls, size_t count)
{
	char temporary[512];
	FILE *file = replace(path, temporary, sizeof(temporary));
	for (size_t i = 0; i < count; i++)
		must(PEM_write_X509_CRL(file, crls[i]), path);
	replaced(file, temporary, path);
}
