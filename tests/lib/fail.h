/* Which calls fail on demand, and how the library that makes them fail (fail.c, fail_calls.c) is told so. */
#pragma once

/* As in lib/failing.py. */
enum kind {
	MEMORY,
	READ,
	RECVMMSG,
	WRITE,
	SENDMMSG,
	ACCEPT,
	OPEN,
	CONNECT,
	DESCRIPTOR, /* socket, eventfd, dup, pipe … */
	THREAD,
	OPTION, /* setsockopt, bind, listen */
	ENTROPY,
	STATUS, /* of a file: stat */
	RENAME, /* and fsync */
	NAME,	/* getaddrinfo */
	KINDS,
};
#define SHORT (-1) /* in place of an error number: fewer octets or messages than could be */

/* 0: goes on. Else an error number, or SHORT. */
int fails(enum kind kind);
