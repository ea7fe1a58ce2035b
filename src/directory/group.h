/* Which of the groups that a question names have been met. */
#ifndef RG_DIRECTORY_GROUP_H
#define RG_DIRECTORY_GROUP_H
#include "roamgate/directory.h"

struct rg_group_match {
	struct rg_question *question;
	char **normal; /* of each group that is a DN, its normal form; else NULL */
	bool unsure; /* for want of memory one may have been missed: who is denied by it is not let
			in */
};

/* False: no memory. All groups of the question are set to "no member". */
bool groups_prepare(struct rg_group_match *, struct rg_question *);
void groups_reset(struct rg_group_match *);
void groups_free(struct rg_group_match *);

/* The person is in the group of this DN; a value that is no DN is compared as text, without case.
 */
void groups_mark(struct rg_group_match *, struct rg_span value);
/* The person is in a group of this name (cn). */
void groups_mark_name(struct rg_group_match *, struct rg_span name);
#endif
