#include "module/module.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MODULES_MOST 64

/* What is loaded stays: conversations and directories hold pointers into it. */
static struct {
	pthread_mutex_t lock;
	const struct rg_module *loaded[MODULES_MOST];
	size_t count;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

const struct rg_module *module_by_name(const char *name)
{
	const struct rg_module *found = NULL;
	pthread_mutex_lock(&registry.lock);
	for (size_t i = 0; i < registry.count && !found; i++)
		if (strcmp(registry.loaded[i]->name, name) == 0)
			found = registry.loaded[i];
	pthread_mutex_unlock(&registry.lock);
	return found;
}

/* A name becomes a part of a path: lower-case letters, digits and underscores only. */
static bool name_is_plain(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return length != 0 && length < 64 && name[length] == '\0';
}

static bool operations_missing(const struct rg_module *module)
{
	switch (module->kind) {
	case RG_MODULE_EAP:
		return !module->ops.eap;
	case RG_MODULE_DIRECTORY:
		return !module->ops.directory;
	case RG_MODULE_SINK:
		return !module->ops.sink || !module->ops.sink->group;
	}
	return true;
}

bool module_adopt(const struct rg_module *module, char why[512])
{
	if (module->abi != RG_MODULE_ABI) {
		snprintf(why, 512, "is built for module interface %u, this gateway has %u",
			 module->abi, RG_MODULE_ABI);
		return false;
	}
	if (!module->name || operations_missing(module)) {
		snprintf(why, 512, "exports no operations of its kind");
		return false;
	}
	if (module_by_name(module->name))
		return true;
	pthread_mutex_lock(&registry.lock);
	bool room = registry.count < MODULES_MOST;
	if (room)
		registry.loaded[registry.count++] = module;
	pthread_mutex_unlock(&registry.lock);
	if (!room)
		snprintf(why, 512, "is one more than the %d that may be loaded", MODULES_MOST);
	return room;
}

static const char *directory_of(const char *dir)
{
	if (dir && *dir)
		return dir;
	const char *environment = getenv("ROAMGATE_MODULES");
	return environment && *environment ? environment : RG_MODULE_DIR;
}

/* Where NAME.so lies: installed, or as libtool leaves it in a build. */
static bool path_find(char *path, size_t size, const char *dir, const char *name)
{
	static const char *const between[] = {"", "/", "/.libs/"};
	for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++) {
		struct stat st;
		int length = snprintf(path, size, "%s/%s%s%s.so", dir, i == 0 ? "" : name,
				      between[i], name);
		if (length > 0 && (size_t)length < size && stat(path, &st) == 0 &&
		    S_ISREG(st.st_mode))
			return true;
	}
	return false;
}

static const struct rg_module *module_open(const char *path, const char *name, char why[512])
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		snprintf(why, 512, "%s", dlerror());
		return NULL;
	}
	const struct rg_module *module = dlsym(handle, "roamgate_module");
	if (!module)
		snprintf(why, 512, "%.400s exports no roamgate_module", path);
	else if (module->abi == RG_MODULE_ABI && (!module->name || strcmp(module->name, name) != 0))
		snprintf(why, 512, "%.300s calls itself \"%.60s\"", path,
			 module->name ? module->name : "");
	else if (module_adopt(module, why))
		return module_by_name(name);
	dlclose(handle);
	return NULL;
}

const struct rg_module *module_load(const char *dir, const char *name, char why[512])
{
	char path[1024];
	why[0] = '\0';
	if (!name_is_plain(name)) {
		snprintf(why, 512, "is no name of a module");
		return NULL;
	}
	const struct rg_module *module = module_by_name(name);
	if (module)
		return module;
	dir = directory_of(dir);
	if (path_find(path, sizeof(path), dir, name))
		return module_open(path, name, why);
	snprintf(why, 512, "there is no %s.so, %s/%s.so or %s/.libs/%s.so in %s", name, name, name,
		 name, name, dir);
	return NULL;
}

const struct rg_eap_method *module_eap_by_label(const char *label)
{
	const struct rg_eap_method *found = NULL;
	pthread_mutex_lock(&registry.lock);
	for (size_t i = 0; i < registry.count && !found; i++)
		if (registry.loaded[i]->kind == RG_MODULE_EAP &&
		    strcmp(registry.loaded[i]->ops.eap->label, label) == 0)
			found = registry.loaded[i]->ops.eap;
	pthread_mutex_unlock(&registry.lock);
	return found;
}

const struct rg_module *module_directory(const char *kind)
{
	char name[80];
	int length = snprintf(name, sizeof(name), "dir_%s", kind);
	if (length < 0 || (size_t)length >= sizeof(name))
		return NULL;
	const struct rg_module *module = module_by_name(name);
	return module && module->kind == RG_MODULE_DIRECTORY ? module : NULL;
}

const struct rg_module *module_sink(const char *group)
{
	const struct rg_module *found = NULL;
	pthread_mutex_lock(&registry.lock);
	for (size_t i = 0; i < registry.count && !found; i++)
		if (registry.loaded[i]->kind == RG_MODULE_SINK &&
		    strcmp(registry.loaded[i]->ops.sink->group, group) == 0)
			found = registry.loaded[i];
	pthread_mutex_unlock(&registry.lock);
	return found;
}
