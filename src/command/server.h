/* The RADIUS server that a command line names, its secret, and the password of who signs in. */
#ifndef RG_COMMAND_SERVER_H
#define RG_COMMAND_SERVER_H
#include <sys/socket.h>

#include "core/secret.h"
#include "radius/key.h"

/* "ADDR", "ADDR:PORT", "[V6]:PORT" or a bare IPv6 address; the port is 1812 where none is given.
 * RG_EXIT_FINE, or the status to exit with after a message on stderr about that option. */
int server_resolve(const char *command, const char *option, const char *text,
		   struct sockaddr_storage *, socklen_t *length);
/* Reads a secret from a file, without its last newline. The caller frees the key. As above. */
int server_secret(const char *command, const char *path, struct rg_radius_key **);
/* The same of a person's password, which may be empty; path NULL: there is none. */
int server_password(const char *command, const char *path, struct rg_secret **);
/* "127.0.0.1:1812"; "" of no address. */
void server_text(char text[80], const struct sockaddr_storage *, socklen_t length);
#endif
