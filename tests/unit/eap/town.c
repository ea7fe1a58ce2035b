/* A realm's files and settings. Apart from laptop.c, which brings a module with it. */
#include <stdio.h>
#include <stdlib.h>

#include "laptop.h"

void town_make(struct town *town, int rsa_bits)
{
	*town = (struct town){.directory = pki_directory()};
	town->ca = pki_make(&(struct pki_want){.cn = "Test CA", .ca = true});
	town->server = pki_make(&(struct pki_want){.cn = "radius.beuningen.nl",
						   .issuer = &town->ca,
						   .usage = "serverAuth",
						   .san = "DNS:radius.beuningen.nl",
						   .rsa_bits = rsa_bits});
	town->certificate = pki_path(town->directory, "server.pem");
	town->key = pki_path(town->directory, "server.key");
	town->client_ca = pki_path(town->directory, "client-ca.pem");
	town->crl_path = pki_path(town->directory, "client-ca.crl");
	pki_write_certificates(town->certificate, &town->server.certificate, 1);
	pki_write_key(town->key, town->server.key);
	pki_write_certificates(town->client_ca, &town->ca.certificate, 1);
	town->names[0] = RG_NAME_SAN_EMAIL;
	town->names[1] = RG_NAME_SUBJECT_CN;
	town->settings = (struct rg_eap_settings){
		.certificate = town->certificate,
		.private_key = town->key,
		.client_ca = town->client_ca,
		.tls_min = RG_TLS_1_2,
		.tls_max = RG_TLS_1_3,
		.ocsp_timeout_ms = 500,
		.fragment = 1024,
		.resume_s = 28800,
		.identity_from = {town->names, 2},
	};
}

void town_free(struct town *town)
{
	pki_directory_end(&town->directory);
	free(town->certificate);
	free(town->key);
	free(town->client_ca);
	free(town->crl_path);
	pki_free(&town->ca);
	pki_free(&town->server);
}

static void on_complaint(void *context, bool error, const char *key, const char *message)
{
	(void)context;
	if (error)
		fprintf(stderr, "%s: %s\n", key, message);
}

struct rg_tls_context *town_context(struct town *town)
{
	struct rg_tls_context *context =
		tls_context_get(&town->settings, "beuningen.nl", on_complaint, NULL);
	if (!context)
		abort();
	return context;
}

void town_revoke(struct town *town, X509 *const *revoked, long to_s)
{
	X509_CRL *crl = pki_crl(&town->ca, revoked, to_s);
	pki_write_crls(town->crl_path, &crl, 1);
	X509_CRL_free(crl);
	town->settings.crl = town->crl_path;
}
