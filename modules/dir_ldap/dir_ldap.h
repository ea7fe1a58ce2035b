/* The operations of the module. */
#ifndef DIR_LDAP_DIR_LDAP_H
#define DIR_LDAP_DIR_LDAP_H
#include "roamgate/directory.h"

void *directory_open_ldap(const void *settings, const char *name);
bool directory_ask_ldap(void *directory, struct rg_question *);
void directory_status_ldap(void *directory,
			   void (*each)(void *context, const struct rg_directory_server *),
			   void *context);
void directory_close_ldap(void *directory);
#endif
