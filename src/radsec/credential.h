/* A credential in use: what we show RadSec peers, and whom we trust. Immutable once made. */
#ifndef RG_RADSEC_CREDENTIAL_H
#define RG_RADSEC_CREDENTIAL_H
#include <stdbool.h>
#include <time.h>

#include "config/raddb.h"

struct rg_radsec;

/* Reads its files. One of equal settings and equal files is shared, whichever reload asks. fresh: a raddb just read, whose
 * files were found good; otherwise a refresh, in which a CRL that cannot be read makes it refuse everyone. NULL: why (256
 * octets) is set. Main thread. */
struct rg_radsec *radsec_get(const struct rg_credential *, bool fresh, char *why);
struct rg_radsec *radsec_ref(struct rg_radsec *); /* any thread */
void radsec_unref(struct rg_radsec **);		  /* any thread */

/* A file that it was made from has changed (one stat a file; main thread). */
bool radsec_stale(const struct rg_radsec *);
/* For `status`: what ends when. what: "certificate", "ca", "crl". */
void radsec_expiry(const struct rg_radsec *,
		   void (*each)(void *context, const char *what, time_t not_after), void *context);
#endif
