/* Judges the certificate files of a realm. Each file is read once, however many realms name it. */
#ifndef RG_CONFIG_CERTIFICATES_H
#define RG_CONFIG_CERTIFICATES_H
#include "config/raddb.h"

struct rg_certificates;

struct rg_certificates *certificates_new(void);
void certificates_free(struct rg_certificates **);

/* certificate, private_key, client_ca and crl of an eap group; keys that are NULL are passed over. */
void certificates_judge(struct rg_certificates *, struct rg_complaint *, const struct rg_eap_settings *);
#endif
