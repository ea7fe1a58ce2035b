/* The parts of the metrics text, in Prometheus' exposition format 0.0.4. */
#ifndef RG_OBSERVE_METRICS_H
#define RG_OBSERVE_METRICS_H
#include <stdio.h>

#include "observe/tally.h"

void metrics_write_process(FILE *);
void metrics_write_counters(FILE *);
void metrics_write_tally(FILE *, const struct rg_tally *);
#endif
