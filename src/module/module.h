/* Loadable modules: found, opened, checked for their ABI, and kept for the life of the process. */
#ifndef RG_MODULE_MODULE_H
#define RG_MODULE_MODULE_H
#include "roamgate/directory.h"
#include "roamgate/eap.h"
#include "roamgate/module.h"

/* dir: gateway.module_dir or ""; then $ROAMGATE_MODULES, then where they are installed. Tries NAME.so,
 * NAME/NAME.so and NAME/.libs/NAME.so. Loaded already: the same again. NULL: why says what was tried. */
const struct rg_module *module_load(const char *dir, const char *name, char why[512]);

/* Among those loaded: the EAP method of that label or type, the directory module "dir_" + kind. */
const struct rg_eap_method *module_eap_by_label(const char *label);
const struct rg_module *module_directory(const char *kind);
#endif
