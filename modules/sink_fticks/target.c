#include "target.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *prefix;
	enum fticks_transport transport;
	const char *port;
} kinds[] = {
	{"udp://", FTICKS_UDP, "514"},  /* RFC 5426 §3.3 */
	{"tcp://", FTICKS_TCP, "601"},  /* RFC 6587 has none of its own; IANA's syslog-conn */
	{"tls://", FTICKS_TLS, "6514"}, /* RFC 5425 §4.1 */
};

static bool host_plain(const char *host)
{
	for (; *host; host++)
		if (!isalnum((unsigned char)*host) && *host != '.' && *host != '-' && *host != '_')
			return false;
	return true;
}

static bool port_plain(const char *port)
{
	char *end;
	unsigned long number = strtoul(port, &end, 10);
	return isdigit((unsigned char)*port) && *end == '\0' && number >= 1 && number <= 65535;
}

/* "[2001:db8::1]:514": what stands behind the host, or NULL. */
static const char *bracketed(struct fticks_target *target, const char *text)
{
	struct in6_addr address;
	const char *end = strchr(text, ']');
	size_t length = end ? (size_t)(end - text - 1) : 0;
	if (!end || length >= sizeof(target->host))
		return NULL;
	memcpy(target->host, text + 1, length);
	target->host[length] = '\0';
	return inet_pton(AF_INET6, target->host, &address) == 1 ? end + 1 : NULL;
}

static bool place_parse(struct fticks_target *target, const char *text, const char *port)
{
	const char *rest;
	if (*text == '[') {
		rest = bracketed(target, text);
	} else {
		size_t length = strcspn(text, ":");
		if (length == 0 || length >= sizeof(target->host))
			return false;
		memcpy(target->host, text, length);
		target->host[length] = '\0';
		rest = host_plain(target->host) ? text + length : NULL;
	}
	if (!rest || (*rest != '\0' && (*rest != ':' || !port_plain(rest + 1))))
		return false;
	snprintf(target->port, sizeof(target->port), "%s", *rest ? rest + 1 : port);
	return true;
}

bool fticks_target_parse(struct fticks_target *target, const char *text, const char **why)
{
	*target = (struct fticks_target){.transport = FTICKS_LOCAL};
	bool path = strncmp(text, "unix:", 5) == 0;
	if (strcmp(text, "syslog") == 0 || path) {
		const char *name = path ? text + 5 : "/dev/log";
		*why = "must name the socket by its whole path, \"unix:/run/…\"";
		if (*name != '/' || strlen(name) >= sizeof(target->path))
			return false;
		snprintf(target->path, sizeof(target->path), "%s", name);
		return true;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t length = strlen(kinds[i].prefix);
		if (strncmp(text, kinds[i].prefix, length) != 0)
			continue;
		target->transport = kinds[i].transport;
		*why = "must have a host and may have a port: \"tcp://192.0.2.1:514\"; an IPv6 "
		       "address stands "
		       "in brackets";
		return place_parse(target, text + length, kinds[i].port);
	}
	*why = "must be \"syslog\", or begin with \"udp://\", \"tcp://\", \"tls://\" or \"unix:\"";
	return false;
}
