#include "daemon/sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "transport/bind.h"
#include "transport/udp.h"

static bool same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	return address_equal((const union rg_address *)a, (const union rg_address *)b);
}

/* What a transport's ports are, to the kernel: those of UDP and of TCP have nothing to do with each other. */
static int socket_type(enum rg_transport transport)
{
	switch (transport) {
	case RG_TRANSPORT_UDP:
	case RG_TRANSPORT_DTLS:
		return SOCK_DGRAM;
	case RG_TRANSPORT_TLS:
	case RG_TRANSPORT_HTTP:
		break;
	}
	return SOCK_STREAM;
}

static const struct rg_binding *find(const struct rg_bindings *bindings, const struct rg_listen *listen)
{
	for (size_t i = 0; i < bindings->count; i++)
		if (bindings->items[i].transport == listen->transport &&
		    same(&bindings->items[i].address, &listen->socket_address))
			return &bindings->items[i];
	return NULL;
}

/* A port that we hold at another address already ("127.0.0.1" before, "0.0.0.0" now) is not somebody else's. */
static bool holds_port(const struct rg_bindings *bindings, const struct rg_binding *binding)
{
	/* Port and family lie at the same place in both families. */
	const union rg_address *wanted = (const union rg_address *)&binding->address;
	for (size_t i = 0; i < bindings->count; i++) {
		const union rg_address *held = (const union rg_address *)&bindings->items[i].address;
		if (held->v4.sin_port == wanted->v4.sin_port &&
		    socket_type(bindings->items[i].transport) == socket_type(binding->transport))
			return true;
	}
	return false;
}

/* "::" serves IPv4 too, unless "0.0.0.0" or another IPv4 address has a listen of its own on that port. */
static bool has_v4_beside(const struct rg_raddb *raddb, const struct rg_binding *binding)
{
	const union rg_address *wanted = (const union rg_address *)&binding->address;
	for (size_t i = 0; i < raddb->listen_count; i++) {
		const union rg_address *other =
			(const union rg_address *)&raddb->listens[i].socket_address;
		if (socket_type(raddb->listens[i].transport) == socket_type(binding->transport) &&
		    other->any.sa_family == AF_INET && other->v4.sin_port == wanted->v4.sin_port)
			return true;
	}
	return false;
}

static bool open_binding(struct rg_binding *binding, const struct rg_bindings *from,
			 const struct rg_raddb *raddb, unsigned workers)
{
	const struct sockaddr *address = (const struct sockaddr *)&binding->address;
	bool v6_only = has_v4_beside(raddb, binding);
	int type = socket_type(binding->transport);
	if (!holds_port(from, binding) && !bind_is_free(address, type, v6_only))
		return false;
	for (unsigned i = 0; i < workers; i++) {
		binding->fds[i] = type == SOCK_STREAM ? tcp_listen(address, v6_only)
						      : udp_listen(address, v6_only);
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
		if (listen->transport == RG_TRANSPORT_HTTP)
			continue;
		struct rg_binding *binding = &made->items[made->count];
		const struct rg_binding *former = find(from, listen);
		memset(binding->fds, -1, sizeof(binding->fds));
		binding->address = listen->socket_address;
		binding->transport = listen->transport;
		if (former)
			memcpy(binding->fds, former->fds, sizeof(binding->fds));
		else if (!open_binding(binding, from, raddb, workers)) {
			char text[64];
			address_text(text, (const union rg_address *)&listen->socket_address);
			snprintf(why, 256, "%s:%u: listen: cannot serve %s: %s", listen->where.file,
				 listen->where.line, text, strerror(errno));
			bindings_undo(made);
			return false;
		}
		binding->serves = listen->serves;
		binding->credential = listen->credential ? listen->credential->number : 0;
		made->count++;
	}
	return true;
}

void bindings_of_worker(const struct rg_bindings *bindings, unsigned worker,
			struct rg_port_socket *out)
{
	for (size_t i = 0; i < bindings->count; i++)
		out[i] = (struct rg_port_socket){
			.fd = bindings->items[i].fds[worker],
			.serves = bindings->items[i].serves,
			.transport = bindings->items[i].transport,
			.credential = bindings->items[i].credential,
		};
}
