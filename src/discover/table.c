#include "discover/table.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

bool table_init(struct rg_table *table, size_t most)
{
	size_t size = 64;
	while (size < most)
		size *= 2;
	*table = (struct rg_table){.most = most, .mask = size - 1};
	table->buckets = calloc(size, sizeof(struct rg_entry *));
	return table->buckets && RAND_bytes(table->seed, sizeof(table->seed)) == 1;
}

static void entry_free(struct rg_entry *entry)
{
	found_unref(&entry->found);
	free(entry);
}

void table_destroy(struct rg_table *table)
{
	for (size_t i = 0; table->buckets && i <= table->mask; i++)
		while (table->buckets[i]) {
			struct rg_entry *entry = table->buckets[i];
			table->buckets[i] = entry->next;
			entry_free(entry);
		}
	free(table->buckets);
	table->buckets = NULL;
}

static size_t key_length(const char *realm, const struct rg_service_tag *tags, size_t tag_count)
{
	size_t length = strlen(realm) + 1;
	for (size_t i = 0; i < tag_count; i++)
		length += strlen(tags[i].text) + 1;
	return length;
}

/* Realms are anyone's to choose: a keyed hash without known collisions. */
static uint64_t key_hash(const struct rg_table *table, const char *realm,
			 const struct rg_service_tag *tags, size_t tag_count)
{
	uint64_t hash = 0;
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1) {
		EVP_DigestUpdate(context, table->seed, sizeof(table->seed));
		EVP_DigestUpdate(context, realm, strlen(realm) + 1);
		for (size_t i = 0; i < tag_count; i++)
			EVP_DigestUpdate(context, tags[i].text, strlen(tags[i].text) + 1);
		if (EVP_DigestFinal_ex(context, digest, NULL) == 1)
			memcpy(&hash, digest, sizeof(hash));
	}
	EVP_MD_CTX_free(context);
	return hash;
}

static bool entry_is(const struct rg_entry *entry, const char *realm,
		     const struct rg_service_tag *tags, size_t tag_count)
{
	if (entry->tag_count != tag_count || strcmp(entry->realm, realm) != 0)
		return false;
	for (size_t i = 0; i < tag_count; i++)
		if (strcmp(entry->tags[i].text, tags[i].text) != 0)
			return false;
	return true;
}

struct rg_entry *table_find(const struct rg_table *table, const char *realm,
			    const struct rg_service_tag *tags, size_t tag_count)
{
	uint64_t hash = key_hash(table, realm, tags, tag_count);
	struct rg_entry *entry = table->buckets[hash & table->mask];
	while (entry && (entry->hash != hash || !entry_is(entry, realm, tags, tag_count)))
		entry = entry->next;
	return entry;
}

struct rg_entry *table_add(struct rg_table *table, const char *realm,
			   const struct rg_service_tag *tags, size_t tag_count)
{
	size_t length = key_length(realm, tags, tag_count);
	struct rg_entry *entry = calloc(1, sizeof(*entry) + length);
	if (!entry)
		return NULL;
	struct rg_buffer key = buffer_over(entry->key, length);
	entry->realm = entry->key;
	buffer_put(&key, span_of(realm, strlen(realm) + 1));
	for (size_t i = 0; i < tag_count; i++) {
		entry->tags[i] =
			(struct rg_service_tag){entry->key + key.length, tags[i].transport};
		buffer_put(&key, span_of(tags[i].text, strlen(tags[i].text) + 1));
	}
	entry->tag_count = tag_count;
	entry->state = RG_ENTRY_QUEUED;
	entry->hash = key_hash(table, realm, tags, tag_count);
	entry->next = table->buckets[entry->hash & table->mask];
	table->buckets[entry->hash & table->mask] = entry;
	return entry;
}

static struct rg_entry_list *list_of(struct rg_table *table, const struct rg_entry *entry)
{
	return entry->found->outcome == RG_FOUND_PEERS ? &table->found : &table->nothing;
}

static void list_remove(struct rg_entry_list *list, struct rg_entry *entry)
{
	*(entry->older ? &entry->older->newer : &list->oldest) = entry->newer;
	*(entry->newer ? &entry->newer->older : &list->newest) = entry->older;
	entry->older = entry->newer = NULL;
}

static void list_append(struct rg_entry_list *list, struct rg_entry *entry)
{
	entry->older = list->newest;
	entry->newer = NULL;
	*(list->newest ? &list->newest->newer : &list->oldest) = entry;
	list->newest = entry;
}

static void entry_remove(struct rg_table *table, struct rg_entry *entry)
{
	struct rg_entry **at = &table->buckets[entry->hash & table->mask];
	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	entry_free(entry);
}

void table_forget(struct rg_table *table, struct rg_entry *entry)
{
	list_remove(list_of(table, entry), entry);
	table->known--;
	entry->state = RG_ENTRY_QUEUED;
}

void table_learn(struct rg_table *table, struct rg_entry *entry, struct rg_found *found)
{
	if (!found) {
		entry_remove(table, entry);
		return;
	}
	found_unref(&entry->found);
	entry->found = found;
	entry->state = RG_ENTRY_KNOWN;
	list_append(list_of(table, entry), entry);
	if (++table->known <= table->most)
		return;
	struct rg_entry *oldest =
		table->nothing.oldest ? table->nothing.oldest : table->found.oldest;
	table_forget(table, oldest);
	entry_remove(table, oldest);
}
