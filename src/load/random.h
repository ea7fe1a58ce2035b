/* Randomness for jitter and for losses made on purpose: fast, and nobody's secret. */
#ifndef RG_LOAD_RANDOM_H
#define RG_LOAD_RANDOM_H
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdint.h>

/* Marsaglia's xorshift64. */
struct rg_random {
	uint64_t state;
};

static inline bool random_begin(struct rg_random *random)
{
	if (RAND_bytes((unsigned char *)&random->state, sizeof(random->state)) != 1)
		return false;
	random->state |= 1;
	return true;
}

static inline uint64_t random_next(struct rg_random *random)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return random->state;
}
#endif
