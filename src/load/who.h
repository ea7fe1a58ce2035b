/* Who signs in: a name with a number in it, and a MAC address from the same number. */
#ifndef RG_LOAD_WHO_H
#define RG_LOAD_WHO_H
#include <stdbool.h>
#include <stdint.h>

#define RG_WHO_MOST 254

struct rg_who {
	uint32_t number;
	char name[RG_WHO_MOST]; /* User-Name: 1 to 253 octets */
	char mac[18];           /* "02-00-00-01-02-03" */
};

/* Whether a pattern gives names that fit: text in which "%u" stands for the number. */
bool who_pattern_fits(const char *pattern);
void who_make(struct rg_who *, const char *pattern, uint32_t number);
/* The name alone. */
void who_name(char name[RG_WHO_MOST], const char *pattern, uint32_t number);
#endif
