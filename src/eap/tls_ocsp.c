#include <stdio.h>

#include "eap/tls_private.h"

bool tls_ocsp_needed(const struct rg_tls_context *context)
{
	return context->ocsp != RG_OCSP_OFF;
}

bool tls_ocsp_ask(struct rg_tls_context *context, const struct rg_proof *proof,
		  struct rg_ocsp_question *question)
{
	(void)context;
	(void)proof;
	(void)question;
	return false;
}

uint8_t *tls_staple_get(struct rg_tls_context *context, size_t *length)
{
	(void)context;
	(void)length;
	return NULL;
}

void tls_ocsp_close(void)
{
}
