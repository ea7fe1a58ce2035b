#include "daemon/sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "transport/udp.h"

static bool same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	return address_equal((const union rg_address *)a, (const union rg_address *)b);
}

static const struct rg_binding *find(const struct rg_bindings *bindings,
				     const struct sockaddr_storage *address)
{
	for (size_t i = 0; i < bindings->count; i++)
		if (same(&bindings->items[i].address, address))
			return &bindings->items[i];
	return NULL;
}

/* SO_REUSEPORT would let a second roamgated of the same user take half of our datagrams without a word: so a
 * socket without it must fit there first. */
static bool is_free(const struct sockaddr_storage *address)
{
	bool v6 = address->ss_family == AF_INET6;
	int on = 1, fd = socket(address->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	if (v6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	int failed = bind(fd, (const struct sockaddr *)address,
			  v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
	int error = errno;
	close(fd);
	errno = error;
	return failed == 0;
}

/* A port that we hold at another address already ("127.0.0.1" before, "0.0.0.0" now) is not somebody else's. */
static bool holds_port(const struct rg_bindings *bindings, const struct sockaddr_storage *address)
{
	/* Port and family lie at the same place in both families. */
	const union rg_address *wanted = (const union rg_address *)address;
	for (size_t i = 0; i < bindings->count; i++) {
		const union rg_address *held = (const union rg_address *)&bindings->items[i].address;
		if (held->any.sa_family == wanted->any.sa_family &&
		    held->v4.sin_port == wanted->v4.sin_port)
			return true;
	}
	return false;
}

static bool open_binding(struct rg_binding *binding, const struct rg_bindings *from, unsigned workers)
{
	if (!holds_port(from, &binding->address) && !is_free(&binding->address))
		return false;
	for (unsigned i = 0; i < workers; i++) {
		binding->fds[i] = udp_listen((const struct sockaddr *)&binding->address);
		if (binding->fds[i] >= 0)
			continue;
		int error = errno;
		while (i-- > 0)
			close(binding->fds[i]);
		errno = error;
		return false;
	}
	binding->fresh = true;
	return true;
}

void bindings_undo(struct rg_bindings *bindings)
{
	for (size_t i = 0; i < bindings->count; i++)
		for (unsigned worker = 0; bindings->items[i].fresh && worker < RG_WORKERS_MOST; worker++)
			if (bindings->items[i].fds[worker] >= 0)
				close(bindings->items[i].fds[worker]);
	bindings_forget(bindings);
}

void bindings_forget(struct rg_bindings *bindings)
{
	free(bindings->items);
	*bindings = (struct rg_bindings){0};
}

bool bindings_make(struct rg_bindings *made, const struct rg_bindings *from,
		   const struct rg_raddb *raddb, unsigned workers, char *why)
{
	*made = (struct rg_bindings){0};
	made->items = calloc(raddb->listen_count + 1, sizeof(*made->items));
	if (!made->items) {
		snprintf(why, 256, "out of memory");
		return false;
	}
	for (size_t i = 0; i < raddb->listen_count; i++) {
		const struct rg_listen *listen = &raddb->listens[i];
		if (listen->transport != RG_TRANSPORT_UDP)
			continue;
		struct rg_binding *binding = &made->items[made->count];
		const struct rg_binding *former = find(from, &listen->socket_address);
		memset(binding->fds, -1, sizeof(binding->fds));
		binding->address = listen->socket_address;
		if (former)
			memcpy(binding->fds, former->fds, sizeof(binding->fds));
		else if (!open_binding(binding, from, workers)) {
			char text[64];
			address_text(text, (const union rg_address *)&listen->socket_address);
			snprintf(why, 256, "%s:%u: listen: cannot serve %s: %s", listen->where.file,
				 listen->where.line, text, strerror(errno));
			bindings_undo(made);
			return false;
		}
		binding->serves = listen->serves;
		made->count++;
	}
	return true;
}

void bindings_of_worker(const struct rg_bindings *bindings, unsigned worker,
			struct rg_port_socket *out)
{
	for (size_t i = 0; i < bindings->count; i++)
		out[i] = (struct rg_port_socket){bindings->items[i].fds[worker],
						 bindings->items[i].serves};
}
