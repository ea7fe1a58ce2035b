/* Who may ask: clients by address, longest prefix first, at a cost that does not grow with their number. */
#ifndef RG_CLIENT_TABLE_H
#define RG_CLIENT_TABLE_H
#include <netinet/in.h>

#include "config/raddb.h"

struct rg_client_table;

/* Of those that may ask over one of these transports (RG_OVER_*). NULL: no memory. The clients must outlive
 * the table. */
struct rg_client_table *client_table_new(const struct rg_client *clients, size_t count, unsigned over);
void client_table_free(struct rg_client_table **);
/* The client of that source address (IPv4-mapped IPv6 is IPv4), or NULL. */
const struct rg_client *client_table_find(const struct rg_client_table *, const struct sockaddr *source);
#endif
