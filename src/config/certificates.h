/* Judges the certificate files of realms and credentials. Files that stand together are read once, however
 * many realms name them. */
#ifndef RG_CONFIG_CERTIFICATES_H
#define RG_CONFIG_CERTIFICATES_H
#include "config/certificate_files.h"

struct rg_certificates;

struct rg_certificates *certificates_new(void);
void certificates_free(struct rg_certificates **);

/* Complains at the keys of the group that names them. */
void certificates_judge(struct rg_certificates *, struct rg_complaint *,
			const struct rg_certificate_files *);
#endif
