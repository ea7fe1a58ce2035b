#include "tls/files.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/secret.h"

#define FILE_MOST (64 << 20) /* a large CRL; anything more is a mistake */
#define BUCKETS   1024u

/* Process-wide: the files that some context was made from. */
static struct rg_tls_file *buckets[BUCKETS];
static pthread_mutex_t buckets_lock = PTHREAD_MUTEX_INITIALIZER;

static struct rg_tls_file **bucket_of(const char *path)
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	for (; *path; path++)
		hash = (hash ^ (uint8_t)*path) * 16777619u;
	return &buckets[hash % BUCKETS];
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool file_matches(const struct rg_tls_file *file, const struct stat *st)
{
	return !file->missing && file->device == st->st_dev && file->inode == st->st_ino &&
	       file->size == st->st_size && same_time(file->modified, st->st_mtim) &&
	       same_time(file->changed, st->st_ctim);
}

static struct rg_secret *read_whole(int fd, size_t size)
{
	struct rg_secret *secret = secret_room(sizeof(*secret) + size);
	if (!secret)
		return NULL;
	secret->length = 0;
	while (secret->length < size) {
		ssize_t got = read(fd, secret->data + secret->length, size - secret->length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int error = errno;
			secret_free(&secret);
			errno = error;
			return NULL;
		}
		if (got == 0)
			break;
		secret->length += (size_t)got;
	}
	return secret;
}

static struct rg_secret *read_file(const char *path, struct stat *st)
{
	struct rg_secret *secret = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (fstat(fd, st) == 0) {
		if (!S_ISREG(st->st_mode))
			errno = S_ISDIR(st->st_mode) ? EISDIR : EINVAL;
		else if (st->st_size > FILE_MOST)
			errno = EFBIG;
		else
			secret = read_whole(fd, (size_t)st->st_size);
	}
	int error = errno;
	close(fd);
	errno = error;
	return secret;
}

static struct rg_tls_file *file_new(const char *path)
{
	struct rg_tls_file *file = calloc(1, sizeof(*file));
	if (!file || !(file->path = strdup(path))) {
		free(file);
		return NULL;
	}
	struct stat st;
	struct rg_secret *contents = read_file(path, &st);
	file->references = 1;
	if (!contents ||
	    !EVP_Digest(contents->data, contents->length, file->digest, NULL, EVP_sha256(), NULL)) {
		file->missing = true;
		file->error = contents ? ENOMEM : errno;
	} else {
		file->device = st.st_dev;
		file->inode = st.st_ino;
		file->mode = st.st_mode;
		file->size = st.st_size;
		file->modified = st.st_mtim;
		file->changed = st.st_ctim;
	}
	secret_free(&contents);
	return file;
}

struct rg_tls_file *tls_file_get(const char *path)
{
	struct stat st;
	bool there = stat(path, &st) == 0;
	pthread_mutex_lock(&buckets_lock);
	struct rg_tls_file **bucket = bucket_of(path), *file = NULL;
	for (file = there ? *bucket : NULL; file; file = file->next)
		if (strcmp(file->path, path) == 0 && file_matches(file, &st))
			break;
	if (file) {
		file->references++;
	} else if ((file = file_new(path))) {
		file->next = *bucket;
		*bucket = file;
	}
	pthread_mutex_unlock(&buckets_lock);
	return file;
}

void tls_file_unref(struct rg_tls_file **holder)
{
	struct rg_tls_file *file = *holder;
	*holder = NULL;
	if (!file)
		return;
	pthread_mutex_lock(&buckets_lock);
	bool last = --file->references == 0;
	if (last) {
		struct rg_tls_file **at = bucket_of(file->path);
		while (*at != file)
			at = &(*at)->next;
		*at = file->next;
	}
	pthread_mutex_unlock(&buckets_lock);
	if (last) {
		free(file->path);
		free(file);
	}
}

struct rg_secret *tls_file_contents(const struct rg_tls_file *file)
{
	struct stat st;
	uint8_t digest[32];
	struct rg_secret *contents = read_file(file->path, &st);
	if (!contents)
		return NULL;
	if (!EVP_Digest(contents->data, contents->length, digest, NULL, EVP_sha256(), NULL) ||
	    memcmp(digest, file->digest, sizeof(digest)) != 0) {
		secret_free(&contents);
		errno = ESTALE;
	}
	return contents;
}

bool tls_file_stale(const struct rg_tls_file *file)
{
	struct stat st;
	bool there = stat(file->path, &st) == 0;
	return file->missing ? there : !there || !file_matches(file, &st);
}
