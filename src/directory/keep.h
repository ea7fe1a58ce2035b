/* A module's settings, kept for as long as its directory is open: the raddb that they were read
 * from may go while a later one still uses that directory. */
#ifndef RG_DIRECTORY_KEEP_H
#define RG_DIRECTORY_KEEP_H
#include "roamgate/module.h"

/* A copy of everything that the rows reach. NULL: no memory. */
void *settings_keep(const struct rg_row *rows, const void *settings, size_t size);
/* Wipes its secrets and frees it. */
void settings_drop(const struct rg_row *rows, void **settings);
#endif
