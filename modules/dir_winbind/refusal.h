/* What Windows' status codes say of a sign-in ([MS-ERREF] 2.3.1). */
#ifndef DIR_WINBIND_REFUSAL_H
#define DIR_WINBIND_REFUSAL_H
#include <stdint.h>

#include "roamgate/directory.h"

/* UNAVAILABLE: it says nothing about the person. */
enum rg_outcome status_read(uint32_t nt_status);
#endif
