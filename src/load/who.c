#include "load/who.h"

#include <stddef.h>
#include <string.h>

#include "roamgate/span.h"

#define DIGITS_MOST 10

static void put_number(struct rg_buffer *out, uint32_t number)
{
	char digits[DIGITS_MOST];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	buffer_put(out, span_of(digits + at, sizeof(digits) - at));
}

bool who_pattern_fits(const char *pattern)
{
	size_t length = strlen(pattern);
	for (const char *at = strstr(pattern, "%u"); at; at = strstr(at + 2, "%u"))
		length += DIGITS_MOST - 2;
	return length >= 1 && length < RG_WHO_MOST;
}

static void make_mac(char mac[18], uint32_t number)
{
	static const char hex[] = "0123456789ABCDEF";
	memcpy(mac, "02-00-00-00-00-00", 18);
	for (unsigned octet = 5; octet > 1; octet--, number >>= 8) {
		mac[3 * octet] = hex[number >> 4 & 15];
		mac[3 * octet + 1] = hex[number & 15];
	}
}

void who_name(char name[RG_WHO_MOST], const char *pattern, uint32_t number)
{
	struct rg_buffer out = buffer_over(name, RG_WHO_MOST - 1);
	for (;;) {
		const char *mark = strstr(pattern, "%u");
		if (!mark)
			break;
		buffer_put(&out, span_of(pattern, (size_t)(mark - pattern)));
		put_number(&out, number);
		pattern = mark + 2;
	}
	buffer_put(&out, span_text(pattern));
	name[out.length] = '\0';
}

void who_make(struct rg_who *who, const char *pattern, uint32_t number)
{
	who->number = number;
	who_name(who->name, pattern, number);
	make_mac(who->mac, number);
}
