#include "core/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/clock.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

size_t text_character(struct rg_span input)
{
	const uint8_t *at = input.data;
	uint8_t first = input.length ? at[0] : 0xff, least = 0x80, most = 0xbf;
	size_t length = first < 0x80   ? 1
			: first < 0xc2 ? 0
			: first < 0xe0 ? 2
			: first < 0xf0 ? 3
			: first < 0xf5 ? 4
				       : 0;
	if (length == 0 || length > input.length)
		return 0;
	if (first == 0xe0)
		least = 0xa0;
	if (first == 0xed)
		most = 0x9f;
	if (first == 0xf0)
		least = 0x90;
	if (first == 0xf4)
		most = 0x8f;
	for (size_t i = 1; i < length; i++, least = 0x80, most = 0xbf)
		if (at[i] < least || at[i] > most)
			return 0;
	return length;
}

/* What turns the direction of text, hides in it, or ends its line: U+00AD, U+061C, U+200B..200F, U+2028..202E, U+2060..206F,
 * U+FEFF, U+E0000..E007F. */
static bool misleads(const uint8_t *at, size_t length)
{
	if (length == 2)
		return (at[0] == 0xc2 && at[1] == 0xad) || (at[0] == 0xd8 && at[1] == 0x9c);
	if (length == 4)
		return at[0] == 0xf3 && at[1] == 0xa0 && at[2] <= 0x81;
	if (at[0] == 0xe2 && at[1] == 0x80)
		return (at[2] >= 0x8b && at[2] <= 0x8f) || (at[2] >= 0xa8 && at[2] <= 0xae);
	if (at[0] == 0xe2 && at[1] == 0x81)
		return at[2] >= 0xa0 && at[2] <= 0xaf;
	return at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf;
}

/* C0, DEL, C1 (U+0080..9F), and what misleads. */
bool text_controls(struct rg_span character)
{
	const uint8_t *at = character.data;
	if (character.length == 1)
		return at[0] < 0x20 || at[0] == 0x7f;
	return (character.length == 2 && at[0] == 0xc2 && at[1] < 0xa0) ||
	       misleads(at, character.length);
}

/* That, and what would break out of a quoted field. */
static bool must_escape(struct rg_span character)
{
	return character.data[0] == '"' || character.data[0] == '\\' || text_controls(character);
}

/* Each record of a sign-in has some twenty names: no printf for their octets. */
static size_t put_octet(char *out, uint8_t octet, bool escape)
{
	static const char digits[] = "0123456789abcdef";
	if (!escape) {
		out[0] = (char)octet;
		return 1;
	}
	memcpy(out, "\\x", 2);
	out[2] = digits[octet >> 4];
	out[3] = digits[octet & 15];
	return 4;
}

size_t text_escape(char *out, size_t capacity, struct rg_span input)
{
	size_t used = 0, fits = 0; /* fits: where "..." would still have room */
	for (size_t i = 0; i < input.length;) {
		size_t length = text_character(span_of(input.data + i, input.length - i));
		bool escape = length == 0 || must_escape(span_of(input.data + i, length));
		if (length == 0)
			length = 1;
		size_t need = escape ? 4 * length : length;
		if (used + need + 1 > capacity) {
			used = fits;
			for (int dot = 0; dot < 3 && used + 1 < capacity; dot++)
				out[used++] = '.';
			break;
		}
		for (size_t j = 0; j < length; j++)
			used += put_octet(out + used, input.data[i + j], escape);
		if (used + 4 <= capacity)
			fits = used;
		i += length;
	}
	if (capacity != 0)
		out[used] = '\0';
	return used;
}

bool text_from_span(char *out, size_t capacity, struct rg_span input)
{
	if (input.length >= capacity || (input.length && memchr(input.data, 0, input.length))) {
		if (capacity != 0)
			out[0] = '\0';
		return false;
	}
	if (input.length != 0)
		memcpy(out, input.data, input.length);
	out[input.length] = '\0';
	return true;
}

bool text_equal_nocase(struct rg_span a, struct rg_span b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++)
		if (lower((char)a.data[i]) != lower((char)b.data[i]))
			return false;
	return true;
}

void text_lower(char *text)
{
	for (; *text; text++)
		*text = lower(*text);
}

/* Edits that turn a into b, or most + 1 where more are needed. Words here are short. */
static size_t edit_distance(const char *a, const char *b, size_t most)
{
	size_t row[64], a_length = strlen(a), b_length = strlen(b);
	if (a_length >= 64 || b_length >= 64 || a_length > b_length + most || b_length > a_length + most)
		return most + 1;
	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t corner = row[0], least = i;
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t change = corner + (lower(a[i - 1]) != lower(b[j - 1]));
			size_t edit = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
			corner = row[j];
			row[j] = change < edit ? change : edit;
			least = row[j] < least ? row[j] : least;
		}
		if (least > most) /* and no later row has less */
			return most + 1;
	}
	return row[b_length] <= most ? row[b_length] : most + 1;
}

const char *text_nearest(const char *word, const char *const *words)
{
	size_t best = strlen(word) / 3 + 2; /* beyond this a hint is a guess */
	const char *nearest = NULL;
	for (; *words; words++) {
		size_t distance = edit_distance(word, *words, best);
		if (distance < best) {
			best = distance;
			nearest = *words;
		}
	}
	return nearest;
}

const char *text_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

bool text_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;
	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			resume = text;
		} else if (*pattern == '?' || lower(*pattern) == lower(*text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

bool text_mac(char out[18], struct rg_span input)
{
	uint8_t digits[12];
	size_t count = 0;
	for (size_t i = 0; i < input.length; i++) {
		int digit = hex_digit(input.data[i]);
		if (digit >= 0 && count < 12)
			digits[count++] = (uint8_t)digit;
		else if (digit >= 0 || !memchr("-:.", input.data[i], 3))
			count = 13;
	}
	out[0] = '\0';
	if (count != 12)
		return false;
	for (size_t i = 0; i < 6; i++) {
		out[3 * i] = "0123456789ABCDEF"[digits[2 * i]];
		out[3 * i + 1] = "0123456789ABCDEF"[digits[2 * i + 1]];
		out[3 * i + 2] = i < 5 ? '-' : '\0';
	}
	return true;
}

void text_time(char out[32], uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / RG_SECOND);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	size_t length = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + length, 32 - length, ".%03uZ", (unsigned)(wall_ns / RG_MS % 1000));
}

void text_hex(char *out, struct rg_span input)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < input.length; i++) {
		out[2 * i] = digits[input.data[i] >> 4];
		out[2 * i + 1] = digits[input.data[i] & 15];
	}
	out[2 * input.length] = '\0';
}
