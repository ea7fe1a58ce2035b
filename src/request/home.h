/* Requests of our own realms: the EAP session that they belong to, turn by turn. */
#ifndef RG_REQUEST_HOME_H
#define RG_REQUEST_HOME_H
#include "eap/session.h"
#include "request/request.h"

/* The request goes while its session works on it: the session stays and waits for the next. */
void home_forget(struct rg_request *);
/* The NAS repeats a request that its session works on: what could not be asked is asked again. */
void home_repeated(struct rg_request *);
/* Ends a session that has no answer to give any more, with its record. */
void home_end(struct rg_worker *, struct rg_session *, enum rg_reason, const char *detail);
/* The same of one that was not finished, for this reason, unless its method had settled why it would end: an alert
 * is out, or a password was refused, and the supplicant fell silent. */
void home_give_up(struct rg_session *, enum rg_reason, const char *detail);
/* Hands a request whose State is of another worker's conversation over to it, whatever its realm; false: it is not. */
bool home_has_another_worker(struct rg_inbound *);
#endif
