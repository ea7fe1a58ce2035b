#include "directory/dn.h"

#include <ctype.h>
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
		 * it. */
		if (octet == ',' || octet == '+' || octet == '\\' || octet == 0)
			fprintf(out, "\\%02x", octet);
		else
			fputc(tolower(octet), out);
	}
}

char *dn_normal(const char *text)
{
	LDAPDN dn = NULL;
	char *normal = NULL;
	size_t length = 0;
	if (ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
		return NULL;
	FILE *out = open_memstream(&normal, &length);
	if (!out)
		goto out;
	for (size_t i = 0; dn && dn[i]; i++) {
		size_t count = 0;
		while (dn[i][count])
			count++;
		qsort(dn[i], count, sizeof(dn[i][0]), compare_ava);
		if (i > 0)
			fputc(',', out);
		for (size_t j = 0; j < count; j++) {
			if (j > 0)
				fputc('+', out);
			put_attribute(out, &dn[i][j]->la_attr);
			put_value(out, &dn[i][j]->la_value);
		}
	}
	if (fclose(out) != 0) {
		free(normal);
		normal = NULL;
	}
out:
	ldap_dnfree(dn);
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
