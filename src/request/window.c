#include "request/window.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

bool window_init(struct rg_window *window)
{
	*window = (struct rg_window){0};
	window->buckets = calloc(RG_WINDOW_BUCKETS, sizeof(struct rg_request *));
	return window->buckets && RAND_bytes((unsigned char *)&window->seed, sizeof(window->seed)) == 1;
}

void window_destroy(struct rg_window *window)
{
	free(window->buckets);
	window->buckets = NULL;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* Seeded: only a client that knows its secret gets here, and it cannot aim at one bucket either. */
static struct rg_request **bucket_of(const struct rg_window *window, const struct rg_link *link,
				     const union rg_address *source, uint32_t token)
{
	uint64_t hash = mix(window->seed, (uint64_t)(uintptr_t)link << 8 ^ token);
	if (source->any.sa_family == AF_INET6) {
		uint64_t words[2];
		memcpy(words, &source->v6.sin6_addr, sizeof(words));
		hash = mix(mix(mix(hash, words[0]), words[1]), source->v6.sin6_port);
	} else {
		hash = mix(hash, (uint64_t)source->v4.sin_addr.s_addr << 16 | source->v4.sin_port);
	}
	return &window->buckets[(hash ^ hash >> 32) % RG_WINDOW_BUCKETS];
}

struct rg_request *window_find(const struct rg_window *window, const struct rg_link *link,
			       const union rg_address *source, uint32_t token)
{
	struct rg_request *request = *bucket_of(window, link, source, token);
	while (request && !(request->token == token && request->link == link &&
			    address_equal(&request->source, source)))
		request = request->next;
	return request;
}

void window_fetch(const struct rg_window *window, const struct rg_link *link,
		  const union rg_address *source, uint32_t token)
{
	__builtin_prefetch(bucket_of(window, link, source, token));
}

void window_fetch_found(const struct rg_window *window, const struct rg_link *link,
			const union rg_address *source, uint32_t token)
{
	const struct rg_request *request = *bucket_of(window, link, source, token);
	if (!request)
		return;
	__builtin_prefetch(&request->next);
	__builtin_prefetch(&request->link);
	__builtin_prefetch(request->authenticator);
}

bool window_add(struct rg_window *window, struct rg_request *request)
{
	if (window->count >= RG_WINDOW_MOST)
		return false;
	struct rg_request **bucket = bucket_of(window, request->link, &request->source, request->token);
	request->next = *bucket;
	*bucket = request;
	window->count++;
	return true;
}

void window_answered(struct rg_window *window, struct rg_request *request)
{
	request->older = window->newest;
	if (window->newest)
		window->newest->newer = request;
	else
		window->oldest = request;
	window->newest = request;
}

struct rg_request *window_victim(const struct rg_window *window)
{
	return window->count >= RG_WINDOW_MOST ? window->oldest : NULL;
}

static void unlink_answered(struct rg_window *window, struct rg_request *request)
{
	if (window->oldest == request)
		window->oldest = request->newer;
	if (window->newest == request)
		window->newest = request->older;
	if (request->older)
		request->older->newer = request->newer;
	if (request->newer)
		request->newer->older = request->older;
	request->older = request->newer = NULL;
}

void window_remove(struct rg_window *window, struct rg_request *request)
{
	struct rg_request **at = bucket_of(window, request->link, &request->source, request->token);
	while (*at && *at != request)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = request->next;
	request->next = NULL;
	unlink_answered(window, request);
	window->count--;
}

void window_each(struct rg_window *window, void (*each)(void *context, struct rg_request *),
		 void *context)
{
	for (unsigned i = 0; i < RG_WINDOW_BUCKETS && window->count != 0; i++) {
		for (struct rg_request *request = window->buckets[i]; request;) {
			struct rg_request *next = request->next;
			each(context, request);
			request = next;
		}
	}
}
