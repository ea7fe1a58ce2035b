/* A User-Name read as a Network Access Identifier (RFC 7542), or as a machine's "host/FQDN". */
#ifndef RG_ROUTE_NAI_H
#define RG_ROUTE_NAI_H
#include <stdbool.h>

#include "roamgate/span.h"

enum rg_nai_fault {
	RG_NAI_OK,
	RG_NAI_NO_REALM,     /* no '@', or nothing after it */
	RG_NAI_TWO_AT,
	RG_NAI_SPACE,        /* white space or a control character */
	RG_NAI_DOTS,         /* "..", leading or trailing dot */
	RG_NAI_NO_DOT,       /* a realm of one label */
	RG_NAI_LABEL,        /* a character or length that no label has; over 253 octets */
	RG_NAI_DOMAIN_USER,  /* DOMAIN\user */
	RG_NAI_ENCODING,     /* a NUL, or no UTF-8 */
};

struct rg_nai {
	struct rg_span user;   /* before '@'; of a machine: its first label */
	struct rg_span realm;  /* after '@'; of a machine: its whole FQDN, of which a realm claims the end */
	bool machine;
};

/* Spans point into name. On a fault realm may still be set where one could be told, for the log. */
enum rg_nai_fault nai_parse(struct rg_nai *, struct rg_span name);
/* A realm alone, as it is written in configuration too: its dots, labels and length. */
enum rg_nai_fault realm_check(struct rg_span realm);
const char *nai_fault_text(enum rg_nai_fault); /* "white space in the name"; static */
#endif
