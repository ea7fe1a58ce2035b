/* Refusing a request before any conversation. */
#ifndef RG_REQUEST_REFUSE_H
#define RG_REQUEST_REFUSE_H
#include "request/path.h"
#include "roamgate/reason.h"

/* Access-Reject, with EAP-Failure where EAP was spoken, and a record. Always RG_REPLY. */
enum rg_next refuse(struct rg_inbound *, enum rg_reason, const char *detail);
/* The same for a request that has waited. label: the realm's name for logs and metrics. */
enum rg_next refuse_request(struct rg_request *, const struct rg_packet *, const char *label, enum rg_reason,
			    const char *detail);
/* EAP-Failure for the packet (4 octets in out), or nothing where it bears no EAP. */
struct rg_span eap_failure_for(const struct rg_packet *, uint8_t out[4]);
/* The realm's name for logs and metrics: a configured one, "visitor", or "-". */
const char *label_of(const struct rg_destination *);
#endif
