/* Which certificates and lists end soon, in the log once a day: a gateway that runs for months
 * reads its files at no other time, and the clock on the wall may be set. */
#include <time.h>

#include "core/log.h"
#include "core/text.h"
#include "daemon/daemon.h"
#include "eap/tls_context.h"

#define WARN_DAYS 30 /* as roamgate check */
#define DAY_S     86400

struct owner {
	const char *kind, *name;
	time_t now;
};

static void warn(void *context, const char *what, time_t not_after)
{
	const struct owner *owner = context;
	long days = (long)((not_after - owner->now) / DAY_S);
	if (not_after <= owner->now)
		log_write(RG_LOG_WARNING, "%s %s: its %s ended %ld day%s ago", owner->kind,
			  owner->name, what, -days, text_plural((uint64_t)-days));
	else if (days < WARN_DAYS)
		log_write(RG_LOG_WARNING, "%s %s: its %s ends in %ld day%s", owner->kind,
			  owner->name, what, days, text_plural((uint64_t)days));
}

void daemon_expiry_begin(struct rg_daemon *daemon)
{
	daemon->warned_day = time(NULL) / DAY_S;
}

void daemon_expiry_warn(struct rg_daemon *daemon)
{
	const struct rg_snapshot *snapshot = daemon->snapshot;
	const struct rg_raddb *raddb = snapshot->raddb;
	struct owner owner = {.now = time(NULL)};
	if (owner.now / DAY_S == daemon->warned_day)
		return;
	daemon->warned_day = owner.now / DAY_S;
	owner.kind = "realm";
	for (size_t i = 0; i < raddb->realm_count; i++) {
		owner.name = raddb->realms[i].name;
		tls_context_expiry(snapshot->homes[i].tls, warn, &owner);
	}
	owner.kind = "credential";
	for (size_t i = 0; i < raddb->credential_count; i++) {
		owner.name = raddb->credentials[i].name;
		radsec_expiry(snapshot->radsec[i], warn, &owner);
	}
}
