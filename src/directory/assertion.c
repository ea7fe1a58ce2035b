#include "directory/assertion.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MOST 32

struct parser {
	struct rg_filter *filter;
	char *at;
	const char *problem;
};

static struct rg_assertion *parse_component(struct parser *, unsigned depth);

static struct rg_assertion *fail(struct parser *parser, const char *problem)
{
	if (!parser->problem)
		parser->problem = problem;
	return NULL;
}

static void skip_space(struct parser *parser)
{
	while (*parser->at == ' ')
		parser->at++;
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = (char)tolower((unsigned char)digit);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The octets up to an unescaped '*' or ')', unescaped in place (RFC 4515 §3). */
static bool parse_octets(struct parser *parser, struct rg_span *value)
{
	char *start = parser->at, *to = start;
	while (*parser->at && *parser->at != ')' && *parser->at != '*') {
		char octet = *parser->at++;
		if (octet == '(')
			return fail(parser, "\"(\" inside a value: write \\28");
		if (octet == '\\') {
			int high = hex_value(parser->at[0]);
			int low = high < 0 ? -1 : hex_value(parser->at[1]);
			if (low < 0)
				return fail(parser, "\"\\\" without two hexadecimal digits");
			octet = (char)(high << 4 | low);
			parser->at += 2;
		}
		*to++ = octet;
	}
	*value = span_of(start, (size_t)(to - start));
	return true;
}

/* attr=value, attr=*, attr=a*b*c */
static bool parse_equality(struct parser *parser, struct rg_assertion *node)
{
	struct rg_filter *filter = parser->filter;
	node->parts = filter->parts + filter->part_count;
	for (;;) {
		struct rg_span *part = &filter->parts[filter->part_count++];
		if (!parse_octets(parser, part))
			return false;
		node->part_count++;
		if (*parser->at != '*')
			break;
		parser->at++;
	}
	if (node->part_count == 1) {
		node->kind = RG_ASSERT_EQUAL;
		node->value = node->parts[0];
	} else if (node->part_count == 2 && node->parts[0].length == 0 &&
		   node->parts[1].length == 0) {
		node->kind = RG_ASSERT_PRESENT;
	} else {
		node->kind = RG_ASSERT_SUBSTRING;
	}
	return true;
}

/* What stands before ":=": [attr][:dn][:rule] */
static bool parse_extensible(struct parser *parser, struct rg_assertion *node, char *text)
{
	node->kind = RG_ASSERT_EXTENSIBLE;
	node->rule = "";
	char *mark = strchr(text, ':');
	while (mark) {
		*mark++ = 0;
		char *next = strchr(mark, ':');
		size_t length = next ? (size_t)(next - mark) : strlen(mark);
		if (length == 2 && strncasecmp(mark, "dn", 2) == 0 && !*node->rule)
			node->dn_attributes = true;
		else if (length > 0 && !*node->rule)
			node->rule = mark;
		else
			return fail(parser, "\":=\" wants attribute:rule:=value");
		mark = next;
	}
	node->attribute = text;
	if (!*text && !*node->rule)
		return fail(parser, "\":=\" wants an attribute or a rule before it");
	return true;
}

static bool attribute_good(const char *text)
{
	for (const char *at = text; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("-.;_", *at))
			return false;
	return true;
}

static struct rg_assertion *parse_item(struct parser *parser, struct rg_assertion *node)
{
	char *text = parser->at;
	char *equals = text + strcspn(text, "=()");
	if (*equals != '=')
		return fail(parser, "an assertion without \"=\"");
	if (equals == text)
		return fail(parser, "an assertion without attribute");
	parser->at = equals + 1;
	char sign = equals[-1];
	equals[strchr("<>~:", sign) ? -1 : 0] = 0;
	node->attribute = text;
	bool good;
	if (sign == ':') {
		good = parse_extensible(parser, node, text);
	} else {
		node->kind = sign == '<'   ? RG_ASSERT_LESS
			     : sign == '>' ? RG_ASSERT_GREATER
					   : RG_ASSERT_APPROX;
		good = *text;
	}
	if (!good || !attribute_good(node->attribute))
		return fail(parser, "an attribute with a character that no attribute has");
	if (!strchr("<>~:", sign)) {
		if (!parse_equality(parser, node))
			return NULL;
	} else if (!parse_octets(parser, &node->value)) {
		return NULL;
	}
	return *parser->at == ')' ? node : fail(parser, "an assertion without its \")\"");
}

static struct rg_assertion *parse_list(struct parser *parser, struct rg_assertion *node,
				       unsigned depth)
{
	char sign = *parser->at++;
	node->kind = sign == '&' ? RG_ASSERT_AND : sign == '|' ? RG_ASSERT_OR : RG_ASSERT_NOT;
	struct rg_assertion **last = &node->first;
	size_t count = 0;
	for (skip_space(parser); *parser->at == '('; skip_space(parser)) {
		*last = parse_component(parser, depth + 1);
		if (!*last)
			return NULL;
		last = &(*last)->next;
		count++;
	}
	if (node->kind == RG_ASSERT_NOT && count != 1)
		return fail(parser, "\"!\" wants one operand");
	return *parser->at == ')' ? node : fail(parser, "a \"(\" without its \")\"");
}

static struct rg_assertion *parse_component(struct parser *parser, unsigned depth)
{
	if (*parser->at != '(')
		return fail(parser, "a filter begins with \"(\"");
	if (depth > DEPTH_MOST)
		return fail(parser, "it is nested too deep");
	parser->at++;
	skip_space(parser);
	struct rg_assertion *node = &parser->filter->nodes[parser->filter->node_count++];
	if (*parser->at && strchr("&|!", *parser->at))
		node = parse_list(parser, node, depth);
	else
		node = parse_item(parser, node);
	if (node)
		parser->at++;
	return node;
}

struct rg_filter *filter_parse(const char *text, char why[160])
{
	size_t nodes = 1, parts = 1;
	for (const char *at = text; *at; at++) {
		nodes += *at == '(';
		parts += *at == '(' || *at == '*';
	}
	struct rg_filter *filter = calloc(1, sizeof(*filter));
	if (!filter)
		goto memory;
	filter->text = strdup(text);
	filter->nodes = calloc(nodes, sizeof(*filter->nodes));
	filter->parts = calloc(parts, sizeof(*filter->parts));
	if (!filter->text || !filter->nodes || !filter->parts)
		goto memory;
	struct parser parser = {.filter = filter, .at = filter->text};
	skip_space(&parser);
	filter->root = parse_component(&parser, 0);
	skip_space(&parser);
	if (filter->root && !*parser.at)
		return filter;
	fail(&parser, "something follows the last \")\"");
	snprintf(why, 160, "%s, at character %zu", parser.problem,
		 (size_t)(parser.at - filter->text) + 1);
	filter_free(&filter);
	return NULL;
memory:
	snprintf(why, 160, "no memory");
	filter_free(&filter);
	return NULL;
}

void filter_free(struct rg_filter **filter)
{
	if (!*filter)
		return;
	free((*filter)->text);
	free((*filter)->nodes);
	free((*filter)->parts);
	free(*filter);
	*filter = NULL;
}
