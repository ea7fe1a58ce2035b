/* Time. Everything that decides by time takes it as an argument, so that tests make their own. */
#ifndef RG_CORE_CLOCK_H
#define RG_CORE_CLOCK_H
#include <stdint.h>
#include <time.h>

#define RG_MS UINT64_C(1000000)
#define RG_SECOND UINT64_C(1000000000)

/* CLOCK_MONOTONIC in nanoseconds. */
static inline uint64_t clock_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * RG_SECOND + (uint64_t)ts.tv_nsec;
}

/* CLOCK_REALTIME in nanoseconds since the epoch. */
static inline uint64_t clock_wall(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * RG_SECOND + (uint64_t)ts.tv_nsec;
}
#endif
