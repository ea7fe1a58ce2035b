/* Chance that can be had again: a stream of numbers for each thing that is left to it, so that one
 * more draw here changes nothing there (splitmix64). */
#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};

static inline uint64_t chance_draw(struct chance *chance)
{
	uint64_t x = chance->state += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static inline struct chance chance_of(uint64_t seed, uint64_t stream)
{
	struct chance chance = {seed * UINT64_C(0xd1342543de82ef95) + stream};
	chance.state = chance_draw(&chance) ^ stream << 56;
	return chance;
}

/* 0 … most - 1. */
static inline unsigned chance_below(struct chance *chance, unsigned most)
{
	return (unsigned)(chance_draw(chance) >> 32) % (most ? most : 1);
}

static inline unsigned chance_between(struct chance *chance, unsigned least, unsigned most)
{
	return least + chance_below(chance, most - least + 1);
}

static inline bool chance_permille(struct chance *chance, unsigned permille)
{
	return chance_below(chance, 1000) < permille;
}

static inline void chance_fill(struct chance *chance, void *out, size_t length)
{
	uint8_t *octets = out;
	for (size_t i = 0; i < length; i++)
		octets[i] = (uint8_t)(chance_draw(chance) >> 56);
}
#endif
