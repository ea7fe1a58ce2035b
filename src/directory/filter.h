/* Filter templates: "(|(mail=%{identity})(uid=%{user}))" and the names that go into them.
 *
 * Whatever a name holds, it becomes one escaped literal (RFC 4515 §3) and never syntax. */
#ifndef RG_DIRECTORY_FILTER_H
#define RG_DIRECTORY_FILTER_H
#include <stdbool.h>

#include "roamgate/directory.h"
#include "roamgate/span.h"

#define RG_FILTER_VALUE_MOST 4096u  /* octets of one name; longer ones are looked up nowhere */
#define RG_FILTER_MOST       65536u /* octets of an expanded filter, its NUL included */
/* LDAP_MATCHING_RULE_IN_CHAIN ([MS-ADTS] 3.1.1.3.4.4.3): membership through groups in groups. */
#define RG_RULE_IN_CHAIN "1.2.840.113556.1.4.1941"

/* What %{identity}, %{user}, %{realm}, %{host}, %{dn} and %{filetime} stand for. */
struct rg_filter_names {
	struct rg_span identity, user, realm, host, dn;
	uint64_t wall_ns; /* since the epoch, for %{filetime} */
};

/* Bits of what a template names. */
#define RG_NAMES_IDENTITY 1u
#define RG_NAMES_USER     2u
#define RG_NAMES_REALM    4u
#define RG_NAMES_HOST     8u
#define RG_NAMES_DN       16u
#define RG_NAMES_FILETIME 32u /* now, as Active Directory counts time */

/* The names of a question; dn may be NULL: no entry found yet. Borrows. */
struct rg_filter_names filter_names(const struct rg_question *, const char *dn);

/* True where the template is a filter once its names are filled in, and names nothing but those in
 * allowed (RG_NAMES_*). used, if not NULL, receives those it names; why says what is wrong. */
bool filter_check(const char *template, unsigned allowed, unsigned *used, char why[160]);

/* Writes the template, its names filled in, and a NUL. False: out is too small, a name is too long,
 * or an empty name stands beside a "*", where it would make the assertion match everyone. */
bool filter_expand(struct rg_buffer *out, const char *template, const struct rg_filter_names *);

/* Writes value as one literal. */
void filter_escape(struct rg_buffer *out, struct rg_span value);

/* The template with each "(attribute=%{dn})" turned into "(attribute:RG_RULE_IN_CHAIN:=%{dn})"; to
 * be freed. NULL: no memory. */
char *filter_nested(const char *template);
#endif
