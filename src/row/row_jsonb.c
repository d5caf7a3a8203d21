/*
 * row_jsonb.c
 *	  A JSON document in jsonb's stored form.
 *
 * First the document becomes a list of nodes in its order, each container
 * before what it holds; then they are written, the members of each object in
 * jsonb's order of keys.  Nothing is allocated for a value but the result.
 *
 * The form is that of the server's jsonb.h: a container is a header, an entry
 * for each of its values with type and length, and the values; an object has
 * the entries and values of all keys before those of its members.
 */
#include "postgres.h"

#include "base/json_scan.h"
#include "base/json_skip.h"
#include "row/row_jsonb.h"
#include "row/row_numeric.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

/*
 * Characters of a document that is written here.  Its stored form, which for
 * "[1,1,...]" has six times the size, is then far below jsonb's limits.
 */
#define DOCUMENT_MAX_BYTES (16 * 1024 * 1024)

/* What is kept from one document to the next. */
#define KEPT_MAX_BYTES (256 * 1024)

#define FIRST_NODES 64

/*
 * Bytes that a node takes at most, beyond those of its text: its entry,
 * padding, and the header of a container or what a number has about its
 * digits.
 */
#define NODE_BYTES 24

/* Keys that are sorted by insertion. */
#define FEW_KEYS 24

typedef struct JsonbNode
{
	const char *start;			/* unescaped; of strings and numbers */
	uint32		len;			/* of containers: nodes right below it */
	uint32		end;			/* of containers: the node behind all in it;
								 * while it is open, the one that it is in */
	JsonToken	type;
} JsonbNode;

typedef struct JsonbKey
{
	const char *start;
	uint32		len;
	uint32		node;			/* the value is the next one */
} JsonbKey;

struct RowJsonb
{
	MemoryContext cxt;			/* all of the following */

	/* the document; the first node is an array that holds it */
	JsonbNode  *nodes;
	uint32		n_nodes;
	uint32		max_nodes;
	uint32		open;			/* the container being read */
	const char *text;
	char	   *unescaped;		/* strings with escapes, where they stand in
								 * the text */
	size_t		unescaped_size;

	/* its stored form */
	JsonbKey   *keys;			/* of the objects being written, a stack */
	size_t		keys_size;
	char	   *out;
	size_t		out_size;
	size_t		used;
	bool		refused;		/* there is a number that cannot be written */
};

static JEntry write_value(RowJsonb *jsonb, const JsonbNode *node,
						  JsonbKey *keys);

RowJsonb *
row_jsonb_open(void)
{
	RowJsonb   *jsonb = palloc0(sizeof(RowJsonb));

	jsonb->cxt = AllocSetContextCreate(CurrentMemoryContext,
									   "tracking_fdw jsonb",
									   ALLOCSET_SMALL_SIZES);
	return jsonb;
}

/* Make room for so many bytes, whatever becomes of what was there. */
static void *
ensure_room(RowJsonb *jsonb, void *buffer, size_t *size, size_t wanted)
{
	if (likely(wanted <= *size))
		return buffer;
	if (buffer != NULL)
		pfree(buffer);
	*size = Max(wanted, *size * 2);
	return MemoryContextAllocHuge(jsonb->cxt, *size);
}

static void
forget_large(RowJsonb *jsonb)
{
	MemoryContext cxt = jsonb->cxt;

	if (likely(MemoryContextMemAllocated(cxt, false) <= KEPT_MAX_BYTES))
		return;
	MemoryContextReset(cxt);
	memset(jsonb, 0, sizeof(RowJsonb));
	jsonb->cxt = cxt;
}

/* --- the document to nodes --- */

static void
grow_nodes(RowJsonb *jsonb)
{
	uint32		max = Max(jsonb->max_nodes * 2, FIRST_NODES);

	if (jsonb->nodes == NULL)
		jsonb->nodes = MemoryContextAlloc(jsonb->cxt, max * sizeof(JsonbNode));
	else
		jsonb->nodes = repalloc_huge(jsonb->nodes, max * sizeof(JsonbNode));
	jsonb->max_nodes = max;
}

static inline JsonbNode *
add_node(RowJsonb *jsonb, JsonToken type)
{
	JsonbNode  *node;

	if (unlikely(jsonb->n_nodes == jsonb->max_nodes))
		grow_nodes(jsonb);
	node = &jsonb->nodes[jsonb->n_nodes++];
	node->type = type;
	return node;
}

/*
 * A string or key, from behind its opening quote.  Returns what is behind the
 * closing one; NULL if it cannot be text.
 */
static inline const char *
read_string(RowJsonb *jsonb, const char *p, const char *end)
{
	JsonbNode  *node = add_node(jsonb, JSON_TOKEN_STRING);
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
		char	   *out = jsonb->unescaped + (start - jsonb->text);

		if (json_unescape(start, p - start, out, &len) != JSON_SCAN_OK)
			return NULL;
		node->start = out;
		node->len = len;
	}
	return p + 1;
}

static inline const char *
read_number(RowJsonb *jsonb, const char *p, const char *end)
{
	JsonbNode  *node = add_node(jsonb, JSON_TOKEN_NUMBER);

	node->start = p;
	while (p < end && ((*p >= '0' && *p <= '9') || *p == '.' || *p == 'e' ||
					   *p == 'E' || *p == '-' || *p == '+'))
		p++;
	node->len = p - node->start;
	return p;
}

/* A container is entered; the ends of its values follow. */
static inline const char *
read_start(RowJsonb *jsonb, JsonToken type, const char *p)
{
	JsonbNode  *node = add_node(jsonb, type);

	node->len = 0;
	node->end = jsonb->open;
	jsonb->open = jsonb->n_nodes - 1;
	return p + 1;
}

static inline void
read_end(RowJsonb *jsonb)
{
	JsonbNode  *node = &jsonb->nodes[jsonb->open];

	jsonb->open = node->end;
	node->end = jsonb->n_nodes;
}

/* A key or value, or the start of one; returns as read_string() does. */
static inline const char *
read_node(RowJsonb *jsonb, const char *p, const char *end)
{
	jsonb->nodes[jsonb->open].len++;
	switch (*p)
	{
		case '"':
			return read_string(jsonb, p + 1, end);
		case '{':
			return read_start(jsonb, JSON_TOKEN_OBJECT_START, p);
		case '[':
			return read_start(jsonb, JSON_TOKEN_ARRAY_START, p);
		case 't':
			add_node(jsonb, JSON_TOKEN_TRUE);
			return p + strlen("true");
		case 'f':
			add_node(jsonb, JSON_TOKEN_FALSE);
			return p + strlen("false");
		case 'n':
			add_node(jsonb, JSON_TOKEN_NULL);
			return p + strlen("null");
		default:
			return read_number(jsonb, p, end);
	}
}

/*
 * All of the document; false if a string of it cannot be text.  That the
 * syntax is right is known, so what stands between values is passed over.
 */
static bool
read_document(RowJsonb *jsonb, const char *text, size_t len)
{
	const char *p = text;
	const char *end = text + len;

	jsonb->text = text;
	jsonb->n_nodes = 0;
	jsonb->open = 0;
	read_start(jsonb, JSON_TOKEN_ARRAY_START, p);
	while (p != NULL && p < end)
	{
		if (*p == ',' || *p == ':' || *p == ' ' || *p == '\t' ||
			*p == '\n' || *p == '\r')
			p++;
		else if (*p == '}' || *p == ']')
		{
			read_end(jsonb);
			p++;
		}
		else
			p = read_node(jsonb, p, end);
	}
	read_end(jsonb);
	return p != NULL;
}

/* --- nodes to the stored form --- */

static inline void
align_out(RowJsonb *jsonb)
{
	while (jsonb->used % ALIGNOF_INT != 0)
		jsonb->out[jsonb->used++] = '\0';
}

/* The next node of the same container. */
static inline const JsonbNode *
next_node(const RowJsonb *jsonb, const JsonbNode *node)
{
	if (node->type == JSON_TOKEN_OBJECT_START ||
		node->type == JSON_TOKEN_ARRAY_START)
		return &jsonb->nodes[node->end];
	return node + 1;
}

/* The order of keys; of two that are the same the later comes first. */
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
	uint32		i;

	if (n > FEW_KEYS)
	{
		qsort(keys, n, sizeof(JsonbKey), compare_keys);
		return;
	}
	for (i = 1; i < n; i++)
	{
		JsonbKey	key = keys[i];
		uint32		place = i;

		for (; place > 0 && compare_keys(&keys[place - 1], &key) > 0; place--)
			keys[place] = keys[place - 1];
		keys[place] = key;
	}
}

/* The keys of an object, in order, each once; returns how many there are. */
static uint32
find_keys(const RowJsonb *jsonb, const JsonbNode *object, JsonbKey *keys)
{
	const JsonbNode *node = object + 1;
	uint32		n = object->len / 2;
	uint32		n_kept = 0;
	uint32		i;

	for (i = 0; i < n; i++)
	{
		keys[i].start = node->start;
		keys[i].len = node->len;
		keys[i].node = node - jsonb->nodes;
		node = next_node(jsonb, node + 1);
	}
	sort_keys(keys, n);
	for (i = 0; i < n; i++)
	{
		if (n_kept == 0 || !same_key(&keys[n_kept - 1], &keys[i]))
			keys[n_kept++] = keys[i];
	}
	return n_kept;
}

/* Begin a container; returns where its entries are, which are n. */
static size_t
write_header(RowJsonb *jsonb, uint32 header, uint32 n)
{
	size_t		entries;

	align_out(jsonb);
	memcpy(jsonb->out + jsonb->used, &header, sizeof(header));
	entries = jsonb->used + sizeof(header);
	jsonb->used = entries + n * sizeof(JEntry);
	return entries;
}

/*
 * Fill the entry with this number.  Every so many of them have the offset of
 * their end, which is *total, instead of the length.
 */
static inline void
set_entry(RowJsonb *jsonb, size_t entries, uint32 number, JEntry entry,
		  uint32 *total)
{
	*total += JBE_OFFLENFLD(entry);
	if (number % JB_OFFSET_STRIDE == 0)
		entry = (entry & JENTRY_TYPEMASK) | *total | JENTRY_HAS_OFF;
	memcpy(jsonb->out + entries + number * sizeof(JEntry), &entry,
		   sizeof(JEntry));
}

static JEntry
write_array(RowJsonb *jsonb, const JsonbNode *array, uint32 flags,
			JsonbKey *keys)
{
	size_t		start = jsonb->used;
	size_t		entries = write_header(jsonb, array->len | flags, array->len);
	const JsonbNode *node = array + 1;
	uint32		total = 0;
	uint32		i;

	for (i = 0; i < array->len; i++)
	{
		set_entry(jsonb, entries, i, write_value(jsonb, node, keys), &total);
		node = next_node(jsonb, node);
	}
	return JENTRY_ISCONTAINER | (jsonb->used - start);
}

static inline JEntry
write_string(RowJsonb *jsonb, const char *start, uint32 len)
{
	memcpy(jsonb->out + jsonb->used, start, len);
	jsonb->used += len;
	return JENTRY_ISSTRING | len;
}

static JEntry
write_object(RowJsonb *jsonb, const JsonbNode *object, JsonbKey *keys)
{
	uint32		n = find_keys(jsonb, object, keys);
	size_t		start = jsonb->used;
	size_t		entries = write_header(jsonb, n | JB_FOBJECT, n * 2);
	uint32		total = 0;
	uint32		i;

	for (i = 0; i < n; i++)
		set_entry(jsonb, entries, i,
				  write_string(jsonb, keys[i].start, keys[i].len), &total);
	for (i = 0; i < n; i++)
		set_entry(jsonb, entries, n + i,
				  write_value(jsonb, &jsonb->nodes[keys[i].node + 1],
							  keys + n), &total);
	return JENTRY_ISCONTAINER | (jsonb->used - start);
}

static JEntry
write_number(RowJsonb *jsonb, const JsonbNode *node)
{
	size_t		start = jsonb->used;
	size_t		bytes;

	align_out(jsonb);
	bytes = row_numeric_write(node->start, node->len,
							  jsonb->out + jsonb->used);
	jsonb->refused |= bytes == 0;
	jsonb->used += bytes;
	return JENTRY_ISNUMERIC | (jsonb->used - start);
}

/*
 * Any value; keys are those that are not in use.  How deep this recurses is
 * bounded by JSON_SCAN_MAX_DEPTH.
 */
static JEntry
write_value(RowJsonb *jsonb, const JsonbNode *node, JsonbKey *keys)
{
	switch (node->type)
	{
		case JSON_TOKEN_OBJECT_START:
			return write_object(jsonb, node, keys);
		case JSON_TOKEN_ARRAY_START:
			return write_array(jsonb, node, JB_FARRAY, keys);
		case JSON_TOKEN_STRING:
			return write_string(jsonb, node->start, node->len);
		case JSON_TOKEN_NUMBER:
			return write_number(jsonb, node);
		case JSON_TOKEN_TRUE:
			return JENTRY_ISBOOL_TRUE;
		case JSON_TOKEN_FALSE:
			return JENTRY_ISBOOL_FALSE;
		default:
			return JENTRY_ISNULL;
	}
}

/* A scalar stays in the array that is there as the first node. */
static bool
write_document(RowJsonb *jsonb, size_t len)
{
	const JsonbNode *holder = &jsonb->nodes[0];
	const JsonbNode *root = holder + 1;

	jsonb->keys = ensure_room(jsonb, jsonb->keys, &jsonb->keys_size,
							  jsonb->n_nodes / 2 * sizeof(JsonbKey));
	jsonb->out = ensure_room(jsonb, jsonb->out, &jsonb->out_size,
							 VARHDRSZ + len + jsonb->n_nodes * NODE_BYTES);
	jsonb->used = VARHDRSZ;
	jsonb->refused = false;
	if (root->type == JSON_TOKEN_OBJECT_START ||
		root->type == JSON_TOKEN_ARRAY_START)
		write_value(jsonb, root, jsonb->keys);
	else
		write_array(jsonb, holder, JB_FARRAY | JB_FSCALAR, jsonb->keys);
	Assert(jsonb->used <= jsonb->out_size);
	return !jsonb->refused;
}

RowInputResult
row_jsonb_value(RowJsonb *jsonb, const char *text, size_t len, Datum *datum)
{
	RowInputResult result = ROW_INPUT_CALL;

	if (len > DOCUMENT_MAX_BYTES)
		return ROW_INPUT_CALL;
	jsonb->unescaped = ensure_room(jsonb, jsonb->unescaped,
								   &jsonb->unescaped_size, len);
	if (read_document(jsonb, text, len) && write_document(jsonb, len))
	{
		char	   *value = palloc(jsonb->used);

		memcpy(value, jsonb->out, jsonb->used);
		SET_VARSIZE(value, jsonb->used);
		*datum = PointerGetDatum(value);
		result = ROW_INPUT_DONE;
	}
	forget_large(jsonb);
	return result;
}
