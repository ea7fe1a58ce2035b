/* How long things took: counts in buckets that are 1/32 of their value wide, whatever the value. */
#ifndef RG_LOAD_HISTOGRAM_H
#define RG_LOAD_HISTOGRAM_H
#include <stdint.h>

#define RG_HISTOGRAM_STEPS   32 /* buckets to each doubling */
#define RG_HISTOGRAM_BUCKETS (60 * RG_HISTOGRAM_STEPS)

struct rg_histogram {
	uint64_t count, sum_ns, least_ns, most_ns;
	uint64_t buckets[RG_HISTOGRAM_BUCKETS];
};

void histogram_add(struct rg_histogram *, uint64_t ns);
/* The value that this part (0 to 1) of all stays at or under, at most 1/32 too high; 0: none was
 * added. */
uint64_t histogram_quantile(const struct rg_histogram *, double part);
/* The first value that is beyond the bucket. */
uint64_t histogram_end_ns(unsigned bucket);
#endif
