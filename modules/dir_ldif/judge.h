/* One question, answered from the store. */
#ifndef DIR_LDIF_JUDGE_H
#define DIR_LDIF_JUDGE_H
#include "dir_ldif.h"
#include "directory/nt_hash.h"
#include "store.h"

/* Writes outcome, member and detail; for MSCHAPv2, which wants digests, hash_hash. */
void question_judge(const struct rg_ldif_settings *, const struct rg_store *,
		    const struct rg_nt_digests *, struct rg_question *);
#endif
