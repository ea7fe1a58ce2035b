#include "command/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/options.h"
#include "core/secret.h"

#define SECRET_MOST 4096

static bool split(const char *text, char host[256], char port[8])
{
	const char *colon = strrchr(text, ':');
	const char *end = text + strlen(text);
	strcpy(port, "1812");
	if (text[0] == '[') {
		end = strchr(text++, ']');
		if (!end || (end[1] != '\0' && end[1] != ':'))
			return false;
		colon = end[1] == ':' ? end + 1 : NULL;
	} else if (colon && strchr(text, ':') == colon) {
		end = colon;
	} else {
		colon = NULL;
	}
	if (end == text || end - text >= 256 || (colon && (!colon[1] || strlen(colon + 1) >= 8)))
		return false;
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = '\0';
	if (colon)
		strcpy(port, colon + 1);
	return true;
}

int server_resolve(const char *command, const char *option, const char *text,
		   struct sockaddr_storage *address, socklen_t *length)
{
	char host[256], port[8];
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found = NULL;
	if (!split(text, host, port))
		return usage_error(command, "--%s wants ADDR:PORT, not %s", option, text);
	int error = getaddrinfo(host, port, &hints, &found);
	if (error != 0)
		return usage_error(command, "--%s %s: %s", option, text, gai_strerror(error));
	memcpy(address, found->ai_addr, found->ai_addrlen);
	*length = found->ai_addrlen;
	freeaddrinfo(found);
	return RG_EXIT_FINE;
}

static int complain(const char *command, const char *path, const char *what)
{
	fprintf(stderr, "roamgate %s: %s: %s\n", command, path, what);
	return RG_EXIT_USAGE;
}

/* What a file holds, without its last newline. False: it cannot be read. */
static bool read_secret(const char *path, uint8_t data[SECRET_MOST], size_t *length)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	setvbuf(file, NULL, _IONBF, 0); /* no second copy of the secret */
	*length = fread(data, 1, SECRET_MOST, file);
	fclose(file);
	if (*length != 0 && data[*length - 1] == '\n')
		(*length)--;
	return true;
}

int server_secret(const char *command, const char *path, struct rg_radius_key **key)
{
	uint8_t data[SECRET_MOST];
	size_t length;
	if (!read_secret(path, data, &length))
		return complain(command, path, strerror(errno));
	*key = radius_key_new(span_of(data, length));
	secret_wipe(data, sizeof(data));
	return *key ? RG_EXIT_FINE : complain(command, path, "holds no secret");
}

int server_password(const char *command, const char *path, struct rg_secret **password)
{
	uint8_t data[SECRET_MOST];
	size_t length;
	if (!path)
		return RG_EXIT_FINE;
	if (!read_secret(path, data, &length))
		return complain(command, path, strerror(errno));
	*password = secret_new(data, length);
	secret_wipe(data, sizeof(data));
	return *password ? RG_EXIT_FINE : complain(command, path, "no memory");
}

void server_text(char text[80], const struct sockaddr_storage *address, socklen_t length)
{
	char host[INET6_ADDRSTRLEN] = "", port[8] = "";
	text[0] = '\0';
	if (getnameinfo((const struct sockaddr *)address, length, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(text, 80, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}
