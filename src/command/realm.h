/* roamgate realm add NAME: writes a new municipality's file. */
#ifndef RG_COMMAND_REALM_H
#define RG_COMMAND_REALM_H

extern const char realm_add_synopsis[];

/* As a command's run; argv holds "add" and NAME among the options. */
int realm_add(int argc, char **argv);
#endif
