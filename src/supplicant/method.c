#include "supplicant/method.h"

#include <string.h>

static const struct rg_peer_method *const methods[] = {
	&peer_method_tls,
	&peer_method_ttls,
	&peer_method_peap,
};

const struct rg_peer_method *peer_method_by_label(const char *label)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i]->label, label) == 0)
			return methods[i];
	return NULL;
}

const char *peer_method_word(uint8_t type)
{
	static const struct {
		uint8_t type;
		const char *word;
	} words[] = {
		{4, "md5"},   {6, "gtc"},   {13, "tls"},  {17, "leap"},     {18, "sim"},
		{21, "ttls"}, {23, "aka"},  {25, "peap"}, {26, "mschapv2"}, {43, "fast"},
		{47, "psk"},  {50, "aka'"}, {52, "pwd"},  {55, "teap"},
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].type == type)
			return words[i].word;
	return "another";
}
