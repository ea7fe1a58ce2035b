/* Bytes: a borrowed span, a cursor that reads wire data and a buffer that writes it.
 *
 * Every byte from outside is read through a cursor and every byte that leaves is written through a
 * buffer. Both remember the first failure, so a parser reads straight down and asks once at its end.
 */
#ifndef ROAMGATE_SPAN_H
#define ROAMGATE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that somebody else owns. */
struct rg_span {
	const uint8_t *data;
	size_t length;
};

static inline struct rg_span span_of(const void *data, size_t length)
{
	return (struct rg_span){data, length};
}

/* The octets of a C string, without its NUL; NULL gives the empty span. */
static inline struct rg_span span_text(const char *text)
{
	return (struct rg_span){(const uint8_t *)text, text ? strlen(text) : 0};
}

static inline bool span_equal(struct rg_span a, struct rg_span b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* Reads forward; a read past the end sets failed, yields zero or an empty span, and stays there. */
struct rg_cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

static inline struct rg_cursor cursor_over(struct rg_span span)
{
	return (struct rg_cursor){span.data, span.length ? span.data + span.length : span.data, false};
}

static inline size_t cursor_left(const struct rg_cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

/* The next length octets, borrowed; empty and failed where there are fewer. */
static inline struct rg_span cursor_take(struct rg_cursor *cursor, size_t length)
{
	if (cursor->failed || cursor_left(cursor) < length) {
		cursor->failed = true;
		return (struct rg_span){NULL, 0};
	}
	const uint8_t *data = cursor->at;
	if (length != 0)
		cursor->at += length;
	return (struct rg_span){data, length};
}

static inline struct rg_span cursor_rest(struct rg_cursor *cursor)
{
	return cursor_take(cursor, cursor->failed ? 0 : cursor_left(cursor));
}

static inline uint8_t cursor_u8(struct rg_cursor *cursor)
{
	struct rg_span span = cursor_take(cursor, 1);
	return span.length ? span.data[0] : 0;
}

static inline uint16_t cursor_u16(struct rg_cursor *cursor)
{
	struct rg_span span = cursor_take(cursor, 2);
	return span.length ? (uint16_t)(span.data[0] << 8 | span.data[1]) : 0;
}

static inline uint32_t cursor_u24(struct rg_cursor *cursor)
{
	struct rg_span span = cursor_take(cursor, 3);
	return span.length
		       ? (uint32_t)span.data[0] << 16 | (uint32_t)span.data[1] << 8 | span.data[2]
		       : 0;
}

static inline uint32_t cursor_u32(struct rg_cursor *cursor)
{
	struct rg_span span = cursor_take(cursor, 4);
	return span.length ? (uint32_t)span.data[0] << 24 | (uint32_t)span.data[1] << 16 |
				     (uint32_t)span.data[2] << 8 | span.data[3]
			   : 0;
}

/* Writes forward into memory that the caller owns; a write past capacity sets failed and writes nothing. */
struct rg_buffer {
	uint8_t *data;
	size_t length;
	size_t capacity;
	bool failed;
};

static inline struct rg_buffer buffer_over(void *data, size_t capacity)
{
	return (struct rg_buffer){data, 0, capacity, false};
}

static inline struct rg_span buffer_span(const struct rg_buffer *buffer)
{
	return (struct rg_span){buffer->data, buffer->length};
}

/* Room for length octets at the end, to be filled by the caller; NULL and failed where there is none. */
static inline uint8_t *buffer_room(struct rg_buffer *buffer, size_t length)
{
	if (buffer->failed || buffer->capacity - buffer->length < length) {
		buffer->failed = true;
		return NULL;
	}
	uint8_t *room = buffer->data + buffer->length;
	buffer->length += length;
	return room;
}

static inline void buffer_put(struct rg_buffer *buffer, struct rg_span span)
{
	uint8_t *room = buffer_room(buffer, span.length);
	if (room && span.length)
		memcpy(room, span.data, span.length);
}

static inline void buffer_u8(struct rg_buffer *buffer, uint8_t value)
{
	uint8_t *room = buffer_room(buffer, 1);
	if (room)
		room[0] = value;
}

static inline void buffer_u16(struct rg_buffer *buffer, uint16_t value)
{
	uint8_t *room = buffer_room(buffer, 2);
	if (room) {
		room[0] = (uint8_t)(value >> 8);
		room[1] = (uint8_t)value;
	}
}

static inline void buffer_u32(struct rg_buffer *buffer, uint32_t value)
{
	uint8_t *room = buffer_room(buffer, 4);
	if (room) {
		room[0] = (uint8_t)(value >> 24);
		room[1] = (uint8_t)(value >> 16);
		room[2] = (uint8_t)(value >> 8);
		room[3] = (uint8_t)value;
	}
}

#endif
