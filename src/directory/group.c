#include "directory/group.h"

#include <stdlib.h>

#include "core/text.h"
#include "directory/dn.h"

bool groups_prepare(struct rg_group_match *match, struct rg_question *question)
{
	*match = (struct rg_group_match){.question = question};
	groups_reset(match);
	if (question->group_count == 0)
		return true;
	match->normal = calloc(question->group_count, sizeof(*match->normal));
	if (!match->normal) {
		match->question = NULL;
		return false;
	}
	for (size_t i = 0; i < question->group_count; i++)
		if (!dn_read(question->groups[i], &match->normal[i])) {
			groups_free(match);
			match->question = NULL;
			return false;
		}
	return true;
}

void groups_reset(struct rg_group_match *match)
{
	match->unsure = false;
	for (size_t i = 0; match->question && i < match->question->group_count; i++)
		match->question->member[i] = false;
}

void groups_free(struct rg_group_match *match)
{
	for (size_t i = 0; match->normal && i < match->question->group_count; i++)
		free(match->normal[i]);
	free(match->normal);
	match->normal = NULL;
}

void groups_mark_name(struct rg_group_match *match, struct rg_span name)
{
	struct rg_question *question = match->question;
	for (size_t i = 0; i < question->group_count; i++)
		if (text_equal_nocase(span_text(question->groups[i]), name))
			question->member[i] = true;
}

void groups_mark(struct rg_group_match *match, struct rg_span value)
{
	char text[2048];
	struct rg_question *question = match->question;
	if (question->group_count == 0)
		return;
	groups_mark_name(match, value);
	if (value.length >= sizeof(text) || memchr(value.data, 0, value.length))
		return;
	memcpy(text, value.data, value.length);
	text[value.length] = 0;
	char *normal;
	if (!dn_read(text, &normal))
		match->unsure = true;
	for (size_t i = 0; normal && i < question->group_count; i++)
		if (match->normal[i] && strcmp(match->normal[i], normal) == 0)
			question->member[i] = true;
	free(normal);
}
