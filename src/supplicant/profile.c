#include "supplicant/profile.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/secret.h"
#include "supplicant/server_certificate.h"

static bool version_of(const char *text, int fallback, int *version)
{
	*version = fallback;
	if (!text)
		return true;
	*version = strcmp(text, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
	return strcmp(text, "1.2") == 0 || strcmp(text, "1.3") == 0;
}

/* Says what OpenSSL did not like of that file; false, for the caller to return. */
static bool complain(char why[256], const char *what, const char *file)
{
	unsigned long error = ERR_peek_error();
	const char *reason = ERR_SYSTEM_ERROR(error) ? strerror((int)ERR_GET_REASON(error))
						     : ERR_reason_error_string(error);
	snprintf(why, 256, "%s %s: %s", what, file, reason ? reason : "cannot be used");
	ERR_clear_error();
	return false;
}

static bool load_identity(SSL_CTX *tls, const struct rg_supplicant_settings *settings,
			  char why[256])
{
	const char *certificate = settings->certificate;
	if (!certificate)
		return true;
	const char *key = settings->private_key ? settings->private_key : certificate;
	if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1)
		return complain(why, "certificate", certificate);
	if (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
		return complain(why, "private key", key);
	if (SSL_CTX_check_private_key(tls) != 1)
		return complain(why, "private key", key);
	return true;
}

static bool load_trust(SSL_CTX *tls, const struct rg_supplicant_settings *settings, char why[256])
{
	/* Without a CA the callback still sees the certificate; its verdict then stops nothing. */
	SSL_CTX_set_verify(tls, settings->ca ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
			   server_certificate_verify);
	if (settings->ca && SSL_CTX_load_verify_file(tls, settings->ca) != 1)
		return complain(why, "CA", settings->ca);
	if (!settings->server_name)
		return true;
	/* RFC 6125 §6.4.4: the name is looked for among the dNSNames. A wildcard is not taken: many
	 * supplicants do not. */
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(tls);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
						       X509_CHECK_FLAG_NO_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_host(param, settings->server_name, 0) != 1)
		return complain(why, "server name", settings->server_name);
	return true;
}

static bool inner_known(const char *method, const char *inner)
{
	if (!inner || strcmp(inner, "mschapv2") == 0 || strcmp(inner, "gtc") == 0 ||
	    strcmp(inner, "tls") == 0)
		return true;
	/* Without EAP, or with EAP where the same is possible without. */
	return strcmp(method, "ttls") == 0 &&
	       (strcmp(inner, "pap") == 0 || strcmp(inner, "eap-mschapv2") == 0);
}

/* What goes into a tunnel. */
static bool load_inner(struct rg_supplicant_profile *profile,
		       const struct rg_supplicant_settings *settings, char why[256])
{
	if (profile->method == &peer_method_tls)
		return true;
	if (!inner_known(profile->method->label, settings->inner)) {
		snprintf(why, 256, "%s runs no %s inside", profile->method->label, settings->inner);
		return false;
	}
	profile->identity = strdup(settings->identity ? settings->identity : "");
	profile->inner = settings->inner ? strdup(settings->inner) : NULL;
	profile->password = secret_new(settings->password.data, settings->password.length);
	profile->digests = nt_digests_new();
	if (profile->identity && profile->password && profile->digests)
		return true;
	snprintf(why, 256,
		 profile->digests ? "no memory"
				  : "OpenSSL's legacy provider, which MSCHAPv2 needs, is "
				    "not installed");
	return false;
}

static bool load(struct rg_supplicant_profile *profile,
		 const struct rg_supplicant_settings *settings, char why[256])
{
	const char *label = settings->method ? settings->method : "tls";
	profile->method = peer_method_by_label(label);
	if (!profile->method) {
		snprintf(why, 256, "there is no EAP method %s here", label);
		return false;
	}
	int least, most;
	if (!version_of(settings->tls_min, TLS1_2_VERSION, &least) ||
	    !version_of(settings->tls_max, TLS1_3_VERSION, &most) || least > most) {
		snprintf(why, 256, "TLS versions are 1.2 and 1.3");
		return false;
	}
	SSL_CTX *tls = profile->tls = SSL_CTX_new(TLS_client_method());
	if (!tls || SSL_CTX_set_min_proto_version(tls, least) != 1 ||
	    SSL_CTX_set_max_proto_version(tls, most) != 1) {
		snprintf(why, 256, "TLS: no memory");
		return false;
	}
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	if (!settings->resume)
		SSL_CTX_set_options(tls, SSL_OP_NO_TICKET);
	profile->resume = settings->resume;
	profile->verifies = settings->ca != NULL;
	return load_identity(tls, settings, why) && load_trust(tls, settings, why) &&
	       load_inner(profile, settings, why);
}

struct rg_supplicant_profile *supplicant_profile_new(const struct rg_supplicant_settings *settings,
						     char why[256])
{
	struct rg_supplicant_profile *profile = calloc(1, sizeof(*profile));
	if (!profile || pthread_mutex_init(&profile->lock, NULL) != 0) {
		snprintf(why, 256, "no memory");
		free(profile);
		return NULL;
	}
	if (!load(profile, settings, why))
		supplicant_profile_free(&profile);
	return profile;
}

void supplicant_profile_free(struct rg_supplicant_profile **profile)
{
	if (!*profile)
		return;
	SSL_SESSION_free((*profile)->session);
	SSL_CTX_free((*profile)->tls);
	secret_free(&(*profile)->password);
	nt_digests_free(&(*profile)->digests);
	free((*profile)->identity);
	free((*profile)->inner);
	pthread_mutex_destroy(&(*profile)->lock);
	free(*profile);
	*profile = NULL;
}

SSL_SESSION *profile_session(struct rg_supplicant_profile *profile)
{
	pthread_mutex_lock(&profile->lock);
	SSL_SESSION *session = profile->session;
	if (session)
		SSL_SESSION_up_ref(session);
	pthread_mutex_unlock(&profile->lock);
	return session;
}

void profile_remember(struct rg_supplicant_profile *profile, SSL_SESSION *session)
{
	pthread_mutex_lock(&profile->lock);
	SSL_SESSION *former = profile->session;
	profile->session = session;
	pthread_mutex_unlock(&profile->lock);
	SSL_SESSION_free(former);
}
