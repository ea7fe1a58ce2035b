/* Text from outside on its way into a log, a trace, a filter or a comparison. The first octet is
 * the room that there is for it. */
#include "fuzz.h"

#include <ctype.h>

#include "core/text.h"

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One line, nothing that a terminal obeys, and what it says is a beginning of what went in. */
static void escapes(struct rg_span input, size_t capacity)
{
	char out[1100];
	size_t length = text_escape(out, capacity, input), taken = 0, i = 0;
	MUST(capacity == 0 || (length < capacity && strlen(out) == length));
	while (i < length && taken < input.length) {
		uint8_t octet = (uint8_t)out[i];
		size_t step = 1;
		MUST(octet >= 0x20 && octet != 0x7f && octet != '"');
		if (octet == '\\') {
			MUST(i + 4 <= length && out[i + 1] == 'x' && hex(out[i + 2]) >= 0);
			octet = (uint8_t)(hex(out[i + 2]) << 4 | hex(out[i + 3]));
			step = 4;
		}
		if (octet != input.data[taken])
			break;
		taken++;
		i += step;
	}
	/* All of it, or as much as there was room for and dots behind it. */
	MUST(length - i <= 3);
	for (; i < length; i++)
		MUST(out[i] == '.');
	if (taken < input.length)
		MUST(capacity < 4 * input.length + 1);
	/* It is well-formed already: once more does nothing but to escape the backslashes. */
	char again[4500];
	size_t backslashes = 0;
	for (i = 0; i < length; i++)
		backslashes += out[i] == '\\';
	if (capacity)
		MUST(text_escape(again, sizeof(again), span_of(out, length)) ==
		     length + 3 * backslashes);
}

static bool glob_plain(const char *pattern, const char *text)
{
	if (*pattern == '*')
		return glob_plain(pattern + 1, text) || (*text && glob_plain(pattern, text + 1));
	if (!*pattern || !*text)
		return !*pattern && !*text;
	return (*pattern == '?' ||
		tolower((unsigned char)*pattern) == tolower((unsigned char)*text)) &&
	       glob_plain(pattern + 1, text + 1);
}

static void globs(struct rg_span input)
{
	char pattern[8], text[16];
	struct rg_cursor cursor = cursor_over(input);
	size_t left = cursor_left(&cursor);
	struct rg_span head = cursor_take(&cursor, left < 7 ? left : 7);
	left = cursor_left(&cursor);
	struct rg_span tail = cursor_take(&cursor, left < 15 ? left : 15);
	if (text_from_span(pattern, sizeof(pattern), head) &&
	    text_from_span(text, sizeof(text), tail))
		MUST(text_glob(pattern, text) == glob_plain(pattern, text));
}

static void macs(struct rg_span input)
{
	char mac[18], again[18];
	size_t digits = 0;
	if (!text_mac(mac, input)) {
		MUST(mac[0] == '\0');
		return;
	}
	MUST(strlen(mac) == 17 && text_mac(again, span_text(mac)) && strcmp(mac, again) == 0);
	for (size_t i = 0; i < input.length; i++)
		digits += isxdigit(input.data[i]) != 0;
	MUST(digits == 12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const words[] = {"client", "clients", "realm", "realms", "peer", NULL};
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	char name[64], word[64];
	if (size > 1000)
		return 0;
	size_t capacity = cursor_u8(&cursor) * 4u;
	struct rg_span input = cursor_rest(&cursor);
	escapes(input, capacity);
	escapes(input, capacity / 64);
	globs(input);
	macs(input);
	if (text_from_span(name, sizeof(name), input)) {
		MUST(strlen(name) == input.length);
		text_nearest(name, words);
		memcpy(word, name, sizeof(word));
		text_lower(word);
		MUST(text_equal_nocase(span_text(word), input));
	} else {
		MUST(name[0] == '\0');
	}
	return 0;
}
