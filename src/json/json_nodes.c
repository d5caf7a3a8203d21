/*
 * json_nodes.c
 *	  A JSON document as an array of nodes.
 */
#include "postgres.h"

#include "json/json_nodes.h"
#include "json/json_skip.h"

#define FIRST_NODES 64

void
json_nodes_init(JsonNodes *nodes)
{
	nodes->n = 0;
	nodes->max = FIRST_NODES;
	nodes->node = palloc(nodes->max * sizeof(JsonNode));
	initStringInfo(&nodes->unescaped);
}

static void
grow_nodes(JsonNodes *nodes)
{
	nodes->max *= 2;
	nodes->node = repalloc_huge(nodes->node, nodes->max * sizeof(JsonNode));
}

static inline JsonNode *
add_node(JsonNodes *nodes, JsonToken type)
{
	JsonNode   *node;

	if (unlikely(nodes->n == nodes->max))
		grow_nodes(nodes);
	node = &nodes->node[nodes->n++];
	node->type = type;
	return node;
}

/*
 * Read a string or key; p is after its opening quote.  Returns the place after
 * the closing one; NULL if the string cannot be text.
 */
static inline const char *
read_string(JsonNodes *nodes, const char *p, const char *end)
{
	JsonNode   *node = add_node(nodes, JSON_TOKEN_STRING);
	const char *start = p;
	bool		escaped = false;
	size_t		len;

	while (*(p = json_skip_plain(p, end)) != '"')
	{
		if (*p == '\\')
		{
			escaped = true;
			p += 2;
		}
		else
			p++;
	}

	node->start = start;
	node->len = p - start;
	if (escaped)
	{
		char	   *out;

		enlargeStringInfo(&nodes->unescaped, nodes->bytes);
		out = nodes->unescaped.data + (start - nodes->text);
		if (json_unescape(start, p - start, out, &len) != JSON_SCAN_OK)
			return NULL;
		node->start = out;
		node->len = len;
	}
	return p + 1;
}

static inline const char *
read_number(JsonNodes *nodes, const char *p, const char *end)
{
	JsonNode   *node = add_node(nodes, JSON_TOKEN_NUMBER);

	node->start = p;
	while (p < end && ((*p >= '0' && *p <= '9') || *p == '.' || *p == 'e' ||
					   *p == 'E' || *p == '-' || *p == '+'))
		p++;
	node->len = p - node->start;
	return p;
}

/* Enter a container. */
static inline const char *
read_start(JsonNodes *nodes, JsonToken type, const char *p)
{
	JsonNode   *node = add_node(nodes, type);

	node->len = 0;
	node->end = nodes->open;
	nodes->open = nodes->n - 1;
	return p + 1;
}

/* Leave the container being read. */
static inline void
read_end(JsonNodes *nodes)
{
	JsonNode   *node = &nodes->node[nodes->open];

	nodes->open = node->end;
	node->end = nodes->n;
}

/*
 * Read a key, a scalar value, or the start of a container.  Returns the same
 * as read_string().
 */
static inline const char *
read_node(JsonNodes *nodes, const char *p, const char *end)
{
	nodes->node[nodes->open].len++;
	switch (*p)
	{
		case '"':
			return read_string(nodes, p + 1, end);
		case '{':
			return read_start(nodes, JSON_TOKEN_OBJECT_START, p);
		case '[':
			return read_start(nodes, JSON_TOKEN_ARRAY_START, p);
		case 't':
			add_node(nodes, JSON_TOKEN_TRUE);
			return p + strlen("true");
		case 'f':
			add_node(nodes, JSON_TOKEN_FALSE);
			return p + strlen("false");
		case 'n':
			add_node(nodes, JSON_TOKEN_NULL);
			return p + strlen("null");
		default:
			return read_number(nodes, p, end);
	}
}

/* As the syntax is right, punctuation between values needs no look. */
bool
json_nodes_read(JsonNodes *nodes, const char *text, size_t len)
{
	const char *p = text;
	const char *end = text + len;

	nodes->text = text;
	nodes->bytes = len;
	nodes->n = 0;
	nodes->open = 0;
	read_start(nodes, JSON_TOKEN_ARRAY_START, p);
	while (p != NULL && p < end)
	{
		if (*p == ',' || *p == ':' || *p == ' ' || *p == '\t' ||
			*p == '\n' || *p == '\r')
			p++;
		else if (*p == '}' || *p == ']')
		{
			read_end(nodes);
			p++;
		}
		else
			p = read_node(nodes, p, end);
	}
	read_end(nodes);
	return p != NULL;
}
