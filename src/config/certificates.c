#include "config/certificates.h"

#include <stdlib.h>

struct rg_certificates {
	int none;
};

struct rg_certificates *certificates_new(void)
{
	return calloc(1, sizeof(struct rg_certificates));
}

void certificates_free(struct rg_certificates **certificates)
{
	free(*certificates);
	*certificates = NULL;
}

void certificates_judge(struct rg_certificates *certificates, struct rg_complaint *at,
			const struct rg_eap_settings *eap)
{
	(void)certificates;
	(void)at;
	(void)eap;
}
