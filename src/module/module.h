/* Loadable modules: found, opened, checked for their ABI, and kept for the life of the process. */
#ifndef RG_MODULE_MODULE_H
#define RG_MODULE_MODULE_H
#include "roamgate/directory.h"
#include "roamgate/eap.h"
#include "roamgate/module.h"
#include "roamgate/sink.h"

/* dir: gateway.module_dir; where that is "", $ROAMGATE_MODULES; where that is unset, where they are
 * installed. Tries NAME.so, NAME/NAME.so and NAME/.libs/NAME.so. Loaded already: the same again.
 * NULL: why says what was tried. */
const struct rg_module *module_load(const char *dir, const char *name, char why[512]);

/* Takes a module that is linked into the program, as tests and fuzzers do. False: why says what is
 * wrong with it. One of that name already there stays. */
bool module_adopt(const struct rg_module *, char why[512]);

/* Among those loaded: the one of that name; the EAP method of that label or type, the directory
 * module "dir_" + kind, the sink whose group of configuration that is. */
const struct rg_module *module_by_name(const char *name);
const struct rg_eap_method *module_eap_by_label(const char *label);
const struct rg_module *module_directory(const char *kind);
const struct rg_module *module_sink(const char *group);
#endif
