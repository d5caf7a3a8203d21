/*
 * row_jsonb_write.c
 *	  Writes a list of nodes in jsonb's stored form, the members of each object
 *	  in jsonb's order of keys.
 */
#include "postgres.h"

#include "row/row_jsonb_write.h"

/* Up to so many keys are sorted by insertion */
#define FEW_KEYS 24

size_t
row_jsonb_nodes_bytes(const RowJsonb *jsonb, size_t len)
{
	return len + jsonb->nodes.n * ROW_JSONB_VALUE_BYTES;
}

void
row_jsonb_make_room(RowJsonb *jsonb, size_t bytes)
{
	uint32		n_nodes = jsonb->nodes.n;

	jsonb->buffer.len = jsonb->used;
	enlargeStringInfo(&jsonb->buffer, bytes);
	jsonb->out = jsonb->buffer.data;
	if (n_nodes / 2 > jsonb->max_keys)
	{
		jsonb->max_keys = n_nodes;
		jsonb->keys = repalloc_huge(jsonb->keys, n_nodes * sizeof(JsonbKey));
	}
}

/* jsonb's order of keys; of equal ones, the later comes first. */
static int
compare_keys(const void *a, const void *b)
{
	const JsonbKey *left = a;
	const JsonbKey *right = b;
	int			order;

	if (left->len != right->len)
		return left->len < right->len ? -1 : 1;
	order = memcmp(left->start, right->start, left->len);
	if (order != 0)
		return order;
	return left->node > right->node ? -1 : 1;
}

static inline bool
same_key(const JsonbKey *a, const JsonbKey *b)
{
	return a->len == b->len && memcmp(a->start, b->start, a->len) == 0;
}

static void
sort_keys(JsonbKey *keys, uint32 n)
{
	if (n > FEW_KEYS)
	{
		qsort(keys, n, sizeof(JsonbKey), compare_keys);
		return;
	}
	for (uint32 i = 1; i < n; i++)
	{
		JsonbKey	key = keys[i];
		uint32		place = i;

		for (; place > 0 && compare_keys(&keys[place - 1], &key) > 0; place--)
			keys[place] = keys[place - 1];
		keys[place] = key;
	}
}

uint32
row_jsonb_order_keys(JsonbKey *keys, uint32 n)
{
	uint32		n_kept = 0;

	sort_keys(keys, n);
	for (uint32 i = 0; i < n; i++)
	{
		if (n_kept == 0 || !same_key(&keys[n_kept - 1], &keys[i]))
			keys[n_kept++] = keys[i];
	}
	return n_kept;
}

uint32
row_jsonb_find_keys(const RowJsonb *jsonb, const JsonNode *object,
					JsonbKey *keys)
{
	const JsonNode *node = object + 1;
	uint32		n = object->len / 2;

	for (uint32 i = 0; i < n; i++)
	{
		keys[i].start = node->start;
		keys[i].len = node->len;
		keys[i].node = node - jsonb->nodes.node;
		node = json_nodes_next(&jsonb->nodes, node + 1);
	}
	return row_jsonb_order_keys(keys, n);
}

static JEntry
write_array(RowJsonb *jsonb, const JsonNode *array, uint32 flags,
			JsonbKey *keys)
{
	size_t		start = jsonb->used;
	size_t		entries = row_jsonb_write_header(jsonb, array->len | flags, array->len);
	const JsonNode *node = array + 1;
	uint32		total = 0;

	for (uint32 i = 0; i < array->len; i++)
	{
		row_jsonb_set_entry(jsonb, entries, i, row_jsonb_write_node(jsonb, node, keys), &total);
		node = json_nodes_next(&jsonb->nodes, node);
	}
	return JENTRY_ISCONTAINER | (jsonb->used - start);
}

static JEntry
write_object(RowJsonb *jsonb, const JsonNode *object, JsonbKey *keys)
{
	uint32		n = row_jsonb_find_keys(jsonb, object, keys);
	size_t		start = jsonb->used;
	size_t		entries = row_jsonb_write_header(jsonb, n | JB_FOBJECT, n * 2);
	uint32		total = 0;

	for (uint32 i = 0; i < n; i++)
		row_jsonb_set_entry(jsonb, entries, i,
							row_jsonb_write_string(jsonb, keys[i].start, keys[i].len), &total);
	for (uint32 i = 0; i < n; i++)
		row_jsonb_set_entry(jsonb, entries, n + i,
							row_jsonb_write_node(jsonb, &jsonb->nodes.node[keys[i].node + 1],
												 keys + n), &total);
	return JENTRY_ISCONTAINER | (jsonb->used - start);
}

/* JSON_SCAN_MAX_DEPTH bounds this recursion. */
JEntry
row_jsonb_write_node(RowJsonb *jsonb, const JsonNode *node, JsonbKey *keys)
{
	switch (node->type)
	{
		case JSON_TOKEN_OBJECT_START:
			return write_object(jsonb, node, keys);
		case JSON_TOKEN_ARRAY_START:
			return write_array(jsonb, node, JB_FARRAY, keys);
		case JSON_TOKEN_STRING:
			return row_jsonb_write_string(jsonb, node->start, node->len);
		case JSON_TOKEN_NUMBER:
			return row_jsonb_write_number(jsonb, node->start, node->len);
		case JSON_TOKEN_TRUE:
			return JENTRY_ISBOOL_TRUE;
		case JSON_TOKEN_FALSE:
			return JENTRY_ISBOOL_FALSE;
		default:
			return JENTRY_ISNULL;
	}
}

/*
 * The first node is an array that holds the document, and in which a scalar is
 * stored.
 */
void
row_jsonb_write_nodes(RowJsonb *jsonb)
{
	const JsonNode *holder = &jsonb->nodes.node[0];
	const JsonNode *root = holder + 1;

	if (root->type == JSON_TOKEN_OBJECT_START ||
		root->type == JSON_TOKEN_ARRAY_START)
		row_jsonb_write_node(jsonb, root, jsonb->keys);
	else
		write_array(jsonb, holder, JB_FARRAY | JB_FSCALAR, jsonb->keys);
	Assert(jsonb->used <= (size_t) jsonb->buffer.maxlen);
}
