/* One question, answered from the store. */
#ifndef DIR_LDIF_JUDGE_H
#define DIR_LDIF_JUDGE_H
#include "dir_ldif.h"
#include "store.h"

/* Writes outcome, member and detail. */
void question_judge(const struct rg_ldif_settings *, const struct rg_store *, struct rg_question *);
#endif
