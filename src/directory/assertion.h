/* A search filter (RFC 4515) as a tree of assertions. */
#ifndef RG_DIRECTORY_ASSERTION_H
#define RG_DIRECTORY_ASSERTION_H
#include <stdbool.h>
#include <stddef.h>

#include "roamgate/span.h"

enum rg_assertion_kind {
	RG_ASSERT_AND,
	RG_ASSERT_OR,
	RG_ASSERT_NOT,
	RG_ASSERT_EQUAL,
	RG_ASSERT_PRESENT,
	RG_ASSERT_SUBSTRING,
	RG_ASSERT_GREATER, /* or equal */
	RG_ASSERT_LESS,    /* or equal */
	RG_ASSERT_APPROX,
	RG_ASSERT_EXTENSIBLE,
};

struct rg_assertion {
	enum rg_assertion_kind kind;
	struct rg_assertion *first,
		*next;         /* AND, OR, NOT: operands; the next operand beside this one */
	const char *attribute; /* with its options; EXTENSIBLE: "" for none */
	const char *rule;      /* EXTENSIBLE: "" for none */
	bool dn_attributes;    /* EXTENSIBLE: ":dn" */
	struct rg_span value;  /* unescaped */
	const struct rg_span
		*parts; /* SUBSTRING: initial, any …, final; first and last may be empty */
	size_t part_count;
};

struct rg_filter {
	struct rg_assertion *root;
	/* Owned: the text, unescaped in place; one node for each "("; one part for each "*" and
	 * node. */
	char *text;
	struct rg_assertion *nodes;
	struct rg_span *parts;
	size_t node_count, part_count;
};

/* NULL: no filter, or no memory; why says where it breaks. At most 32 levels deep. */
struct rg_filter *filter_parse(const char *text, char why[160]);
void filter_free(struct rg_filter **);
#endif
