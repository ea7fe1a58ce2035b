/* FreeRADIUS's dictionaries and its text form of attributes. The only door to libfreeradius-radius:
 * used when configuration is read and when something is printed, never for a packet on its way. */
#ifndef RG_RADIUS_DICTIONARY_H
#define RG_RADIUS_DICTIONARY_H
#include <stdbool.h>
#include <stddef.h>

#include "radius/packet.h"
#include "roamgate/span.h"

/* Loads /usr/share/freeradius (or dir); true at once if that was done. False with why (static or thread-local).
 * Before threads start. Afterwards the other functions may be called by any thread. */
bool dictionary_open(const char *dir, const char **why);
/* For good: libfreeradius cannot load them a second time. */
void dictionary_close(void);

/* Encodes "Tunnel-Private-Group-Id = 120" (also := and +=) as whole attributes on the wire. Returns
 * octets written; 0: why says what is wrong, with the nearest known name if it is the name. Nothing in a value is
 * expanded, run or looked up in DNS. Refused: what travels encrypted, what the gateway sets itself, what is
 * internal to FreeRADIUS, what does not fit. */
size_t dictionary_encode(const char *text, uint8_t *out, size_t capacity, char why[256]);

/* Calls each with the dictionary's name and printable value of every attribute ("Tunnel-Type:0", "VLAN").
 * Encrypted ones come as hex. Names and values are borrowed until the callback returns. */
void dictionary_print(const struct rg_packet *,
		      void (*each)(void *context, const char *name, const char *value), void *context);
#endif
