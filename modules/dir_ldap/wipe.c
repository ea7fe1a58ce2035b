#include "wipe.h"

#include "core/secret.h"

/* A layer above TLS, where requests pass as they are. */

static int setup(Sockbuf_IO_Desc *layer, void *unused)
{
	(void)layer;
	(void)unused;
	return 0;
}

static int nothing(Sockbuf_IO_Desc *layer)
{
	(void)layer;
	return 0;
}

static int control(Sockbuf_IO_Desc *layer, int option, void *argument)
{
	return LBER_SBIOD_CTRL_NEXT(layer, option, argument);
}

static ber_slen_t receive(Sockbuf_IO_Desc *layer, void *octets, ber_len_t length)
{
	return LBER_SBIOD_READ_NEXT(layer, octets, length);
}

/* What is sent is not sent again: libldap goes on behind it, and keeps the rest only to free it.
 * Referrals, for which a request would be written anew, are not followed. */
static ber_slen_t send_and_wipe(Sockbuf_IO_Desc *layer, void *octets, ber_len_t length)
{
	ber_slen_t sent = LBER_SBIOD_WRITE_NEXT(layer, octets, length);
	if (sent > 0)
		secret_wipe(octets, (size_t)sent);
	return sent;
}

static Sockbuf_IO wiping = {
	.sbi_setup = setup,
	.sbi_remove = nothing,
	.sbi_ctrl = control,
	.sbi_read = receive,
	.sbi_write = send_and_wipe,
	.sbi_close = nothing,
};

bool wipe_requests(LDAP *handle)
{
	Sockbuf *sockbuf = NULL;
	ldap_get_option(handle, LDAP_OPT_SOCKBUF, &sockbuf);
	return sockbuf &&
	       ber_sockbuf_add_io(sockbuf, &wiping, LBER_SBIOD_LEVEL_APPLICATION, NULL) == 0;
}
