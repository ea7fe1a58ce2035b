/* What a product's directory is like: what holds for the keys that a realm leaves out. */
#ifndef RG_DIRECTORY_PRESET_H
#define RG_DIRECTORY_PRESET_H
#include "directory/lookup.h"

struct rg_preset {
	const char *filter, *machine_filter;
	const char *disabled, *disabled_bind; /* disabled_bind: where a bind follows */
	struct rg_lookup_groups groups;       /* present false: none */
	struct rg_choices certificate_mapping;
	const char *account_control; /* or NULL */
};

extern const struct rg_preset presets[]; /* by enum rg_lookup_type */
#endif
