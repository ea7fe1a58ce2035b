/* The way in to FreeRADIUS's headers, which compile only after build.h and beside our automask.h. For
 * dictionary.c and for tests that take FreeRADIUS as their referee. */
#ifndef RG_RADIUS_SHIM_LIBRADIUS_H
#define RG_RADIUS_SHIM_LIBRADIUS_H
#include <freeradius/build.h>
/* In this order. */
#include <freeradius/libradius.h>
#endif
