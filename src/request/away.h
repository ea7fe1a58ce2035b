/* Requests of others' realms: what their worker does when a peer answers. */
#ifndef RG_REQUEST_AWAY_H
#define RG_REQUEST_AWAY_H
#include "upstream/upstream.h"

extern const struct rg_upstream_events away_events; /* context: the worker */
#endif
