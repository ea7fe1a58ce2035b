#include "zone.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RECORDS_MOST     512
#define ASKED_MOST       65536
#define CONNECTIONS_MOST 64

void wire_name(struct rg_buffer *buffer, const char *name)
{
	while (*name) {
		size_t length = strcspn(name, ".");
		buffer_u8(buffer, (uint8_t)length);
		buffer_put(buffer, span_of(name, length));
		name += length + (name[length] == '.');
	}
	buffer_u8(buffer, 0);
}

void wire_text(struct rg_buffer *buffer, const char *text)
{
	buffer_u8(buffer, (uint8_t)strlen(text));
	buffer_put(buffer, span_text(text));
}

void wire_head(struct rg_buffer *buffer, uint16_t flags, unsigned answers, unsigned authorities,
	       const char *name, unsigned type)
{
	buffer_u16(buffer, 0x1234);
	buffer_u16(buffer, flags);
	buffer_u16(buffer, 1);
	buffer_u16(buffer, (uint16_t)answers);
	buffer_u16(buffer, (uint16_t)authorities);
	buffer_u16(buffer, 0);
	wire_name(buffer, name);
	buffer_u16(buffer, (uint16_t)type);
	buffer_u16(buffer, 1);
}

size_t wire_record(struct rg_buffer *buffer, const char *owner, unsigned type, uint32_t ttl_s)
{
	wire_name(buffer, owner);
	buffer_u16(buffer, (uint16_t)type);
	buffer_u16(buffer, 1);
	buffer_u32(buffer, ttl_s);
	buffer_u16(buffer, 0);
	return buffer->length;
}

void wire_end(struct rg_buffer *buffer, size_t record)
{
	size_t length = buffer->length - record;
	buffer->data[record - 2] = (uint8_t)(length >> 8);
	buffer->data[record - 1] = (uint8_t)length;
}

void wire_naptr(struct rg_buffer *buffer, const char *owner, uint32_t ttl_s, unsigned order,
		unsigned preference, const char *flags, const char *service, const char *regexp,
		const char *replacement)
{
	size_t record = wire_record(buffer, owner, RG_DNS_NAPTR, ttl_s);
	buffer_u16(buffer, (uint16_t)order);
	buffer_u16(buffer, (uint16_t)preference);
	wire_text(buffer, flags);
	wire_text(buffer, service);
	wire_text(buffer, regexp);
	wire_name(buffer, replacement);
	wire_end(buffer, record);
}

void wire_srv(struct rg_buffer *buffer, const char *owner, uint32_t ttl_s, unsigned priority,
	      unsigned weight, unsigned port, const char *target)
{
	size_t record = wire_record(buffer, owner, RG_DNS_SRV, ttl_s);
	buffer_u16(buffer, (uint16_t)priority);
	buffer_u16(buffer, (uint16_t)weight);
	buffer_u16(buffer, (uint16_t)port);
	wire_name(buffer, target);
	wire_end(buffer, record);
}

void wire_address(struct rg_buffer *buffer, const char *owner, uint32_t ttl_s, const char *address)
{
	uint8_t octets[16];
	bool v6 = strchr(address, ':');
	assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, address, octets), 1);
	size_t record = wire_record(buffer, owner, v6 ? RG_DNS_AAAA : RG_DNS_A, ttl_s);
	buffer_put(buffer, span_of(octets, v6 ? 16 : 4));
	wire_end(buffer, record);
}

void wire_alias(struct rg_buffer *buffer, const char *owner, uint32_t ttl_s, const char *alias)
{
	size_t record = wire_record(buffer, owner, RG_DNS_CNAME, ttl_s);
	wire_name(buffer, alias);
	wire_end(buffer, record);
}

struct record {
	char owner[256];
	unsigned type;
	uint8_t octets[600];
	size_t length;
};

struct connection {
	struct zone *zone;
	pthread_t thread;
	int fd;
};

struct zone {
	pthread_t thread;
	struct connection connections[CONNECTIONS_MOST];
	size_t connection_count;
	pthread_mutex_t lock;
	int udp, tcp, stop[2];
	unsigned port;
	enum zone_mood mood;
	uint32_t negative_s;
	struct record records[RECORDS_MOST];
	size_t record_count;
	struct {
		char name[256];
		unsigned type;
	} asked[ASKED_MOST];
	size_t asked_count;
};

/* The question's name and type; the length of header and question. 0: it is none. */
static size_t question_read(const uint8_t *octets, size_t length, char name[256], unsigned *type)
{
	size_t at = 12, out = 0;
	while (at < length && octets[at] != 0 && out + octets[at] < 250) {
		size_t label = octets[at++];
		if (out != 0)
			name[out++] = '.';
		for (size_t i = 0; i < label && at < length; i++)
			name[out++] = (char)octets[at++];
	}
	name[out] = '\0';
	if (at + 5 > length)
		return 0;
	*type = (unsigned)octets[at + 1] << 8 | octets[at + 2];
	return at + 5;
}

static bool name_exists(const struct zone *zone, const char *name)
{
	for (size_t i = 0; i < zone->record_count; i++)
		if (strcmp(zone->records[i].owner, name) == 0)
			return true;
	return false;
}

static size_t records_put(const struct zone *zone, struct rg_buffer *out, const char *name,
			  unsigned type)
{
	size_t count = 0;
	for (size_t i = 0; i < zone->record_count; i++)
		if (zone->records[i].type == type && strcmp(zone->records[i].owner, name) == 0) {
			buffer_put(out, span_of(zone->records[i].octets, zone->records[i].length));
			count++;
		}
	return count;
}

static void soa_put(const struct zone *zone, struct rg_buffer *out)
{
	size_t record = wire_record(out, "", RG_DNS_SOA, zone->negative_s + 7);
	wire_name(out, "ns.test");
	wire_name(out, "hostmaster.test");
	for (unsigned i = 0; i < 4; i++)
		buffer_u32(out, 1);
	buffer_u32(out, zone->negative_s);
	wire_end(out, record);
}

/* Under the lock. The answer's length; 0: none. */
static size_t answer_make(struct zone *zone, const uint8_t *octets, size_t length, bool tcp,
			  uint8_t *out)
{
	char name[256];
	unsigned type;
	size_t question = question_read(octets, length, name, &type);
	struct rg_buffer buffer = buffer_over(out, 65000);
	if (question == 0)
		return 0;
	if (zone->asked_count < ASKED_MOST) {
		strcpy(zone->asked[zone->asked_count].name, name);
		zone->asked[zone->asked_count++].type = type;
	}
	if (zone->mood == ZONE_SILENT)
		return 0;
	buffer_put(&buffer, span_of(octets, question));
	memset(out + 4, 0, 8);
	out[5] = 1;
	out[2] = 0x81;
	out[3] = zone->mood == ZONE_FAILS ? 2 : 0;
	if (zone->mood == ZONE_FAILS)
		return buffer.length;
	if (zone->mood == ZONE_TRUNCATES && !tcp) {
		out[2] |= 2;
		return buffer.length;
	}
	if (zone->mood == ZONE_BABBLES) {
		out[7] = 3;
		buffer_put(&buffer, span_text("\xc0\xff noise, and more of it \xff\xff\xff"));
		return buffer.length;
	}
	size_t count = records_put(zone, &buffer, name, type);
	out[6] = (uint8_t)(count >> 8);
	out[7] = (uint8_t)count;
	if (count == 0) {
		out[3] = name_exists(zone, name) ? 0 : 3;
		out[9] = 1;
		soa_put(zone, &buffer);
	}
	assert_false(buffer.failed);
	return buffer.length;
}

static void serve_udp(struct zone *zone)
{
	static __thread uint8_t in[4096], out[65536];
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	ssize_t got = recvfrom(zone->udp, in, sizeof(in), 0, (struct sockaddr *)&from, &length);
	if (got <= 0)
		return;
	pthread_mutex_lock(&zone->lock);
	size_t answer = answer_make(zone, in, (size_t)got, false, out);
	pthread_mutex_unlock(&zone->lock);
	if (answer != 0)
		(void)!sendto(zone->udp, out, answer, 0, (struct sockaddr *)&from, length);
}

static bool recv_whole(int fd, uint8_t *out, size_t length)
{
	return recv(fd, out, length, MSG_WAITALL) == (ssize_t)length;
}

static void *serve_connection(void *opaque)
{
	struct connection *connection = opaque;
	struct zone *zone = connection->zone;
	uint8_t in[4096], head[2], *out = malloc(65536);
	while (recv_whole(connection->fd, head, 2)) {
		size_t length = (size_t)head[0] << 8 | head[1];
		if (length > sizeof(in) || !recv_whole(connection->fd, in, length))
			break;
		pthread_mutex_lock(&zone->lock);
		size_t answer = answer_make(zone, in, length, true, out + 2);
		pthread_mutex_unlock(&zone->lock);
		out[0] = (uint8_t)(answer >> 8);
		out[1] = (uint8_t)answer;
		if (answer != 0 && send(connection->fd, out, answer + 2, MSG_NOSIGNAL) < 0)
			break;
	}
	free(out);
	return NULL;
}

static void serve_tcp(struct zone *zone)
{
	assert_true(zone->connection_count < CONNECTIONS_MOST);
	struct connection *connection = &zone->connections[zone->connection_count++];
	connection->zone = zone;
	connection->fd = accept(zone->tcp, NULL, NULL);
	pthread_create(&connection->thread, NULL, serve_connection, connection);
}

static void *run(void *opaque)
{
	struct zone *zone = opaque;
	struct pollfd fds[3] = {
		{zone->udp, POLLIN, 0}, {zone->tcp, POLLIN, 0}, {zone->stop[0], POLLIN, 0}};
	while (poll(fds, 3, -1) > 0 && !(fds[2].revents & POLLIN)) {
		if (fds[0].revents & POLLIN)
			serve_udp(zone);
		if (fds[1].revents & POLLIN)
			serve_tcp(zone);
	}
	return NULL;
}

static bool sockets_open(struct zone *zone)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int big = 4 << 20;
	zone->udp = socket(AF_INET, SOCK_DGRAM, 0);
	zone->tcp = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(zone->udp, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	if (bind(zone->udp, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    getsockname(zone->udp, (struct sockaddr *)&address, &length) == 0 &&
	    bind(zone->tcp, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    listen(zone->tcp, 16) == 0) {
		zone->port = ntohs(address.sin_port);
		return true;
	}
	close(zone->udp);
	close(zone->tcp);
	return false;
}

struct zone *zone_open(void)
{
	struct zone *zone = calloc(1, sizeof(*zone));
	zone->negative_s = 300;
	pthread_mutex_init(&zone->lock, NULL);
	for (unsigned tries = 0; !sockets_open(zone); tries++)
		assert_true(tries < 20);
	assert_int_equal(pipe(zone->stop), 0);
	pthread_create(&zone->thread, NULL, run, zone);
	return zone;
}

void zone_close(struct zone **held)
{
	struct zone *zone = *held;
	*held = NULL;
	assert_int_equal(write(zone->stop[1], "", 1), 1);
	pthread_join(zone->thread, NULL);
	for (size_t i = 0; i < zone->connection_count; i++) {
		shutdown(zone->connections[i].fd, SHUT_RDWR);
		pthread_join(zone->connections[i].thread, NULL);
		close(zone->connections[i].fd);
	}
	close(zone->stop[0]);
	close(zone->stop[1]);
	close(zone->udp);
	close(zone->tcp);
	pthread_mutex_destroy(&zone->lock);
	free(zone);
}

unsigned zone_port(const struct zone *zone)
{
	return zone->port;
}

void zone_mood(struct zone *zone, enum zone_mood mood)
{
	pthread_mutex_lock(&zone->lock);
	zone->mood = mood;
	pthread_mutex_unlock(&zone->lock);
}

void zone_negative(struct zone *zone, uint32_t ttl_s)
{
	pthread_mutex_lock(&zone->lock);
	zone->negative_s = ttl_s;
	pthread_mutex_unlock(&zone->lock);
}

static struct rg_buffer record_begin(struct zone *zone, const char *owner, unsigned type)
{
	pthread_mutex_lock(&zone->lock);
	assert_true(zone->record_count < RECORDS_MOST);
	struct record *record = &zone->records[zone->record_count];
	snprintf(record->owner, sizeof(record->owner), "%s", owner);
	record->type = type;
	return buffer_over(record->octets, sizeof(record->octets));
}

static void record_end(struct zone *zone, const struct rg_buffer *buffer)
{
	assert_false(buffer->failed);
	zone->records[zone->record_count++].length = buffer->length;
	pthread_mutex_unlock(&zone->lock);
}

void zone_naptr(struct zone *zone, const char *owner, uint32_t ttl_s, unsigned order,
		unsigned preference, const char *flags, const char *service,
		const char *replacement)
{
	struct rg_buffer buffer = record_begin(zone, owner, RG_DNS_NAPTR);
	wire_naptr(&buffer, owner, ttl_s, order, preference, flags, service, "", replacement);
	record_end(zone, &buffer);
}

void zone_srv(struct zone *zone, const char *owner, uint32_t ttl_s, unsigned priority,
	      unsigned weight, unsigned port, const char *target)
{
	struct rg_buffer buffer = record_begin(zone, owner, RG_DNS_SRV);
	wire_srv(&buffer, owner, ttl_s, priority, weight, port, target);
	record_end(zone, &buffer);
}

void zone_address(struct zone *zone, const char *owner, uint32_t ttl_s, const char *address)
{
	struct rg_buffer buffer =
		record_begin(zone, owner, strchr(address, ':') ? RG_DNS_AAAA : RG_DNS_A);
	wire_address(&buffer, owner, ttl_s, address);
	record_end(zone, &buffer);
}

unsigned zone_asked(struct zone *zone, const char *name, unsigned type)
{
	unsigned count = 0;
	pthread_mutex_lock(&zone->lock);
	for (size_t i = 0; i < zone->asked_count; i++)
		count += (!name || strcmp(zone->asked[i].name, name) == 0) &&
			 (type == 0 || zone->asked[i].type == type);
	pthread_mutex_unlock(&zone->lock);
	return count;
}
