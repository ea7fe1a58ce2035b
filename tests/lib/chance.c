/* Preloaded into roamgated: says in $CHANCE how much of OpenSSL's locked memory was in use when the first random number
 * had been drawn. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int RAND_bytes(unsigned char *octets, int count)
{
	static int (*real)(unsigned char *, int);
	int (*is_there)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "CRYPTO_secure_malloc_initialized");
	size_t (*used)(void) = (size_t (*)(void))dlsym(RTLD_DEFAULT, "CRYPTO_secure_used");
	int first = !real;
	if (first)
		real = (int (*)(unsigned char *, int))dlsym(RTLD_NEXT, "RAND_bytes");
	int drawn = real(octets, count);
	FILE *file = first ? fopen(getenv("CHANCE"), "w") : NULL;
	if (file) {
		fprintf(file, "%zu", is_there() ? used() : 0);
		fclose(file);
	}
	return drawn;
}
