/* Which calls fail on demand, and how the library that makes them fail (fail.c, fail_calls.c) is told so. */
#pragma once

#include <stdint.h>

#define FRAMES 16 /* of a place, and of what is told of it */

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
/* 0; in a child that goes on with a call that failed, the process that it came from. */
int fails_for(void);
/* A hash of the innermost functions on the stack, its own caller the first. */
uint64_t place_hash(uint64_t seed);
