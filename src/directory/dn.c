#include "directory/dn.h"

#include <ctype.h>
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/reserve.h"

static int compare_ava(const void *a, const void *b)
{
	const LDAPAVA *one = *(LDAPAVA *const *)a, *other = *(LDAPAVA *const *)b;
	size_t shorter = one->la_attr.bv_len < other->la_attr.bv_len ? one->la_attr.bv_len
								     : other->la_attr.bv_len;
	int order = strncasecmp(one->la_attr.bv_val, other->la_attr.bv_val, shorter);
	if (order == 0)
		order = (one->la_attr.bv_len > shorter) - (other->la_attr.bv_len > shorter);
	return order;
}

static void put_attribute(FILE *out, const struct berval *text)
{
	for (ber_len_t i = 0; i < text->bv_len; i++)
		fputc(tolower((unsigned char)text->bv_val[i]), out);
	fputc('=', out);
}

static void put_value(FILE *out, const struct berval *text)
{
	bool space = false, any = false;
	for (ber_len_t i = 0; i < text->bv_len; i++) {
		unsigned char octet = (unsigned char)text->bv_val[i];
		if (octet == ' ') {
			space = any;
			continue;
		}
		if (space)
			fputc(' ', out);
		space = false;
		any = true;
		/* A separator inside a value is kept apart from the separators; NUL must not end
		 * it, and libldap skips controls at its ends; what comes of it is a DN again
		 * (RFC 4514 section 2.4). */
		if (octet < 0x20 || strchr(",+\\\"#;<>", octet))
			fprintf(out, "\\%02x", octet);
		else
			fputc(tolower(octet), out);
	}
}

/* libldap may leave a value out for which it had no memory. */
static bool is_whole(const struct berval *text)
{
	return text->bv_len == 0 || text->bv_val;
}

static bool put_part(FILE *out, LDAPAVA **part)
{
	size_t count = 0;
	for (; part[count]; count++)
		if (!is_whole(&part[count]->la_attr) || !is_whole(&part[count]->la_value))
			return false;
	qsort(part, count, sizeof(part[0]), compare_ava);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			fputc('+', out);
		put_attribute(out, &part[i]->la_attr);
		put_value(out, &part[i]->la_value);
	}
	return true;
}

/* libldap says "decoding error" for want of memory too: what looks like a DN has two chances. */
static bool take_apart(const char *text, LDAPDN *dn)
{
	bool may_be = *text == '\0' || strchr(text, '='); /* "" is above everything */
	return may_be && (ldap_str2dn(text, dn, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS ||
			  ldap_str2dn(text, dn, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS);
}

bool dn_read(const char *text, char **normal)
{
	LDAPDN dn = NULL;
	size_t length = 0;
	bool good = true;
	*normal = NULL;
	if (!take_apart(text, &dn))
		return memory_is_there(4096);
	FILE *out = open_memstream(normal, &length);
	for (size_t i = 0; out && good && dn && dn[i]; i++) {
		if (i > 0)
			fputc(',', out);
		good = put_part(out, dn[i]);
	}
	good = out && good && fflush(out) == 0 && !ferror(out);
	if (out && (fclose(out) != 0 || !*normal))
		good = false; /* glibc gives no text, and no error, where it cannot cut it to its
				 size */
	if (!good) {
		free(*normal);
		*normal = NULL;
	}
	ldap_dnfree(dn);
	return good;
}

char *dn_normal(const char *text)
{
	char *normal;
	dn_read(text, &normal);
	return normal;
}

bool dn_equal(const char *a, const char *b)
{
	char *one = dn_normal(a), *other = dn_normal(b);
	bool equal = one && other && strcmp(one, other) == 0;
	free(one);
	free(other);
	return equal;
}

bool dn_within(const char *name, const char *base)
{
	size_t length = strlen(name), below = strlen(base);
	if (below == 0)
		return true;
	if (length < below || strcmp(name + length - below, base) != 0)
		return false;
	return length == below || name[length - below - 1] == ',';
}

const char *dn_parent(const char *name)
{
	const char *comma = strchr(name, ',');
	return comma ? comma + 1 : "";
}
