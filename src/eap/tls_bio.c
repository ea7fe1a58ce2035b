/* OpenSSL's way to the fragments, counting TLS records as they pass. */
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "core/once.h"
#include "eap/tls_conversation.h"

/* Follows the record layer: a supplicant may not cut its handshake into crumbs, each of which costs
 * a decryption. */
static void count_records(struct rg_tls *tls, struct rg_span span)
{
	struct rg_cursor cursor = cursor_over(span);
	while (cursor_left(&cursor) != 0) {
		size_t left = cursor_left(&cursor);
		if (tls->record_left != 0) {
			size_t step = left < tls->record_left ? left : tls->record_left;
			cursor_take(&cursor, step);
			tls->record_left -= step;
			continue;
		}
		tls->record_header[tls->header_length++] = cursor_u8(&cursor);
		if (tls->header_length == sizeof(tls->record_header)) {
			tls->header_length = 0;
			tls->record_left =
				(size_t)tls->record_header[3] << 8 | tls->record_header[4];
			if (++tls->records > RG_TLS_RECORDS_MOST)
				tls->overrun = true;
		}
	}
}

static int bio_read(BIO *bio, char *out, size_t most, size_t *got)
{
	struct rg_tls *tls = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	size_t length = tls->input.length < most ? tls->input.length : most;
	*got = 0;
	if (length == 0) {
		BIO_set_retry_read(bio);
		return 0;
	}
	count_records(tls, span_of(tls->input.data, length));
	if (tls->overrun)
		return 0;
	memcpy(out, tls->input.data, length);
	tls->input = span_of(tls->input.data + length, tls->input.length - length);
	*got = length;
	return 1;
}

static int bio_write(BIO *bio, const char *data, size_t length, size_t *written)
{
	struct rg_tls *tls = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	if (!fragments_append(&tls->fragments, span_of(data, length))) {
		tls->overrun = true;
		*written = 0;
		return 0;
	}
	*written = length;
	return 1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static BIO_METHOD *method; /* process-wide, made once and kept */
static struct rg_once made = RG_ONCE;

static bool method_make(void)
{
	BIO_METHOD *fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "EAP");
	if (fresh && BIO_meth_set_read_ex(fresh, bio_read) &&
	    BIO_meth_set_write_ex(fresh, bio_write) && BIO_meth_set_ctrl(fresh, bio_ctrl) &&
	    BIO_meth_set_create(fresh, bio_create))
		method = fresh;
	else
		BIO_meth_free(fresh);
	return method;
}

BIO *tls_bio_new(struct rg_tls *tls)
{
	BIO *bio = once_made(&made, method_make) ? BIO_new(method) : NULL;
	if (bio)
		BIO_set_data(bio, tls);
	return bio;
}
