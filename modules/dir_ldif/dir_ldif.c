#include "roamgate/module.h"

const struct rg_module roamgate_module = {
	.abi = RG_MODULE_ABI,
	.kind = RG_MODULE_DIRECTORY,
	.name = "dir_ldif",
};
