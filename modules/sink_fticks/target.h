/* Where lines go, as `target` says it. */
#ifndef SINK_FTICKS_TARGET_H
#define SINK_FTICKS_TARGET_H
#include <stdbool.h>
#include <sys/un.h>

enum fticks_transport {
	FTICKS_LOCAL, /* the syslog daemon of this machine, or whoever reads that socket */
	FTICKS_UDP,   /* RFC 5426 */
	FTICKS_TCP,   /* RFC 6587, octet counting */
	FTICKS_TLS,   /* RFC 5425 */
};

struct fticks_target {
	enum fticks_transport transport;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* FTICKS_LOCAL */
	char host[256], port[6];
};

/* "syslog", "unix:/PATH", "udp://HOST[:PORT]", "tcp://…", "tls://…"; an IPv6 address in brackets.
 * False: why is a sentence's end, "must be …". */
bool fticks_target_parse(struct fticks_target *, const char *text, const char **why);
#endif
