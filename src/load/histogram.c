#include "load/histogram.h"

/* Under 32 ns a bucket is one nanosecond; above, the five bits after the first one choose it. */
static unsigned bucket_of(uint64_t ns)
{
	if (ns < RG_HISTOGRAM_STEPS)
		return (unsigned)ns;
	unsigned shift = 63u - (unsigned)__builtin_clzll(ns) - 5;
	return (shift + 1) * RG_HISTOGRAM_STEPS + (unsigned)(ns >> shift) - RG_HISTOGRAM_STEPS;
}

uint64_t histogram_end_ns(unsigned bucket)
{
	if (bucket < RG_HISTOGRAM_STEPS)
		return bucket + UINT64_C(1);
	unsigned shift = bucket / RG_HISTOGRAM_STEPS - 1;
	/* The last bucket ends where 64 bits do. */
	if (shift == 58 && bucket % RG_HISTOGRAM_STEPS == RG_HISTOGRAM_STEPS - 1)
		return UINT64_MAX;
	return (uint64_t)(bucket % RG_HISTOGRAM_STEPS + RG_HISTOGRAM_STEPS + 1) << shift;
}

void histogram_add(struct rg_histogram *histogram, uint64_t ns)
{
	if (histogram->count == 0 || ns < histogram->least_ns)
		histogram->least_ns = ns;
	if (ns > histogram->most_ns)
		histogram->most_ns = ns;
	histogram->count++;
	histogram->sum_ns += ns;
	histogram->buckets[bucket_of(ns)]++;
}

uint64_t histogram_quantile(const struct rg_histogram *histogram, double part)
{
	uint64_t wanted = (uint64_t)(part * (double)histogram->count + 0.5), seen = 0;
	if (histogram->count == 0)
		return 0;
	if (wanted == 0)
		wanted = 1;
	for (unsigned i = 0; i < RG_HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= wanted) {
			uint64_t last = histogram_end_ns(i) - 1;
			return last < histogram->most_ns ? last : histogram->most_ns;
		}
	}
	return histogram->most_ns;
}
