/* Allocations that fail on demand (attacks.md O3), in the program that is linked with shortage.c. */
#ifndef RG_TESTS_UNIT_DIRECTORY_SHORTAGE_H
#define RG_TESTS_UNIT_DIRECTORY_SHORTAGE_H
#include <stdbool.h>

extern struct rg_shortage {
	unsigned left;      /* allocations until one fails; 0: none does */
	unsigned after;     /* and so many directly after it */
	bool failed;        /* one has */
	const char *spared; /* of the name of a library that does not look for want of memory; NULL: none is */
} shortage;

/* Not where a sanitizer or valgrind has an allocator of its own. */
bool shortage_works(void);
#endif
