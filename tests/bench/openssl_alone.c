/* What TLS itself costs a server: handshakes with client certificates over memory BIOs, OpenSSL in
 * default use, nothing around it. Only the server's calls are timed.
 * usage: openssl_alone 1.2|1.3 full|resumed SECONDS SERVER.pem SERVER.key CLIENT.pem CLIENT.key
 * CA.pem ROOT.pem Prints the microseconds of CPU time for one. */
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static SSL_SESSION *kept; /* the client's, of the last handshake */

static double cpu_us(void)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

static void check(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "openssl_alone: %s\n", what);
	exit(1);
}

static int keep(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(kept);
	kept = session;
	return 1;
}

static SSL_CTX *context(const SSL_METHOD *method, int version, const char *certificate,
			const char *key, const char *ca)
{
	SSL_CTX *tls = SSL_CTX_new(method);
	check(tls && SSL_CTX_set_min_proto_version(tls, version) &&
		      SSL_CTX_set_max_proto_version(tls, version) &&
		      SSL_CTX_use_certificate_chain_file(tls, certificate) == 1 &&
		      SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) == 1 &&
		      SSL_CTX_load_verify_file(tls, ca) == 1,
	      "certificates");
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return tls;
}

static SSL *endpoint(SSL_CTX *tls)
{
	SSL *ssl = SSL_new(tls);
	check(ssl, "memory");
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	return ssl;
}

static void carry(SSL *from, SSL *to)
{
	char octets[16384];
	int length;
	while ((length = BIO_read(SSL_get_wbio(from), octets, sizeof(octets))) > 0)
		BIO_write(SSL_get_rbio(to), octets, length);
}

/* The server's CPU time. */
static double handshake(SSL_CTX *server_tls, SSL_CTX *client_tls, bool resume)
{
	bool offered = resume && kept;
	unsigned char key[64];
	double used = 0, began = cpu_us();
	SSL *server = endpoint(server_tls);
	SSL_set_accept_state(server);
	used += cpu_us() - began;
	SSL *client = endpoint(client_tls);
	SSL_set_connect_state(client);
	if (offered)
		SSL_set_session(client, kept);
	while (!SSL_is_init_finished(server) || !SSL_is_init_finished(client)) {
		SSL_do_handshake(client);
		carry(client, server);
		began = cpu_us();
		int result = SSL_do_handshake(server);
		check(result == 1 || SSL_get_error(server, result) == SSL_ERROR_WANT_READ,
		      "the handshake failed");
		used += cpu_us() - began;
		carry(server, client);
	}
	SSL_read(client, key, 1); /* takes the tickets */
	check(!offered || SSL_session_reused(server), "the session was not resumed");
	began = cpu_us();
	SSL_export_keying_material(server, key, sizeof(key), "client EAP encryption", 21, NULL, 0,
				   0);
	SSL_set_shutdown(server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(server);
	used += cpu_us() - began;
	SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(client);
	return used;
}

int main(int argc, char **argv)
{
	if (argc != 10)
		return 2;
	int version = strcmp(argv[1], "1.3") == 0 ? TLS1_3_VERSION : TLS1_2_VERSION;
	bool resume = strcmp(argv[2], "resumed") == 0;
	SSL_CTX *server = context(TLS_server_method(), version, argv[4], argv[5], argv[8]);
	SSL_CTX *client = context(TLS_client_method(), version, argv[6], argv[7], argv[9]);
	SSL_CTX_set_session_id_context(server, (const unsigned char *)"bench", 5);
	/* What will not be resumed is not kept; what will be has one ticket. */
	if (!resume) {
		SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF);
		SSL_CTX_set_options(server, SSL_OP_NO_TICKET);
	}
	SSL_CTX_set_num_tickets(server, resume);
	SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(client, keep);
	double used = 0, end = cpu_us() + atof(argv[3]) * 1e6;
	unsigned count = 0;
	for (unsigned i = 0; i < 20; i++) /* warm */
		handshake(server, client, resume);
	while (cpu_us() < end) {
		used += handshake(server, client, resume);
		count++;
	}
	printf("%.1f\n", used / count);
	SSL_SESSION_free(kept);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	return 0;
}
