/*
 * row_jsonb.c
 *	  A JSON document in jsonb's stored form.
 *
 * The document becomes a list of nodes, which are then written, the members
 * of each object in jsonb's order of keys.  Nothing is allocated for a value
 * but the result.
 *
 * The form is that of the server's jsonb.h: a container is a header, an entry
 * for each of its values with type and length, and the values; an object has
 * the entries and values of all keys before those of its members.
 */
#include "postgres.h"

#include "row/json_nodes.h"
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

/*
 * Bytes that a node takes at most, beyond those of its text: its entry,
 * padding, and the header of a container or what a number has about its
 * digits.
 */
#define NODE_BYTES 24

/* Keys that there is room for at the start; that are sorted by insertion. */
#define FIRST_KEYS 32
#define FEW_KEYS 24

typedef struct JsonbKey
{
	const char *start;
	uint32		len;
	uint32		node;			/* the value is the next one */
} JsonbKey;

struct RowJsonb
{
	MemoryContext cxt;			/* all of the following */
	JsonNodes	nodes;			/* the document */
	JsonbKey   *keys;			/* of the objects being written, a stack */
	uint32		max_keys;

	/* its stored form */
	StringInfoData buffer;		/* has room for all of it */
	char	   *out;			/* = buffer.data */
	size_t		used;
	bool		refused;		/* there is a number that cannot be written */
};

static JEntry write_value(RowJsonb *jsonb, const JsonNode *node,
						  JsonbKey *keys);

static void
init_buffers(RowJsonb *jsonb)
{
	MemoryContext old = MemoryContextSwitchTo(jsonb->cxt);

	json_nodes_init(&jsonb->nodes);
	initStringInfo(&jsonb->buffer);
	jsonb->max_keys = FIRST_KEYS;
	jsonb->keys = palloc(jsonb->max_keys * sizeof(JsonbKey));
	MemoryContextSwitchTo(old);
}

RowJsonb *
row_jsonb_open(void)
{
	RowJsonb   *jsonb = palloc(sizeof(RowJsonb));

	jsonb->cxt = AllocSetContextCreate(CurrentMemoryContext,
									   "tracking_fdw jsonb",
									   ALLOCSET_SMALL_SIZES);
	init_buffers(jsonb);
	return jsonb;
}

static void
forget_large(RowJsonb *jsonb)
{
	if (likely(MemoryContextMemAllocated(jsonb->cxt, false) <= KEPT_MAX_BYTES))
		return;
	MemoryContextReset(jsonb->cxt);
	init_buffers(jsonb);
}

/* What the document at hand needs at most. */
static void
make_room(RowJsonb *jsonb, size_t len)
{
	uint32		n_nodes = jsonb->nodes.n;

	enlargeStringInfo(&jsonb->buffer, VARHDRSZ + len + n_nodes * NODE_BYTES);
	jsonb->out = jsonb->buffer.data;
	jsonb->used = VARHDRSZ;
	if (n_nodes / 2 > jsonb->max_keys)
	{
		jsonb->max_keys = n_nodes;
		jsonb->keys = repalloc_huge(jsonb->keys, n_nodes * sizeof(JsonbKey));
	}
}

static inline void
align_out(RowJsonb *jsonb)
{
	while (jsonb->used % ALIGNOF_INT != 0)
		jsonb->out[jsonb->used++] = '\0';
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
find_keys(const RowJsonb *jsonb, const JsonNode *object, JsonbKey *keys)
{
	const JsonNode *node = object + 1;
	uint32		n = object->len / 2;
	uint32		n_kept = 0;
	uint32		i;

	for (i = 0; i < n; i++)
	{
		keys[i].start = node->start;
		keys[i].len = node->len;
		keys[i].node = node - jsonb->nodes.node;
		node = json_nodes_next(&jsonb->nodes, node + 1);
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
write_array(RowJsonb *jsonb, const JsonNode *array, uint32 flags,
			JsonbKey *keys)
{
	size_t		start = jsonb->used;
	size_t		entries = write_header(jsonb, array->len | flags, array->len);
	const JsonNode *node = array + 1;
	uint32		total = 0;
	uint32		i;

	for (i = 0; i < array->len; i++)
	{
		set_entry(jsonb, entries, i, write_value(jsonb, node, keys), &total);
		node = json_nodes_next(&jsonb->nodes, node);
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
write_object(RowJsonb *jsonb, const JsonNode *object, JsonbKey *keys)
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
				  write_value(jsonb, &jsonb->nodes.node[keys[i].node + 1],
							  keys + n), &total);
	return JENTRY_ISCONTAINER | (jsonb->used - start);
}

static JEntry
write_number(RowJsonb *jsonb, const JsonNode *node)
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
write_value(RowJsonb *jsonb, const JsonNode *node, JsonbKey *keys)
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
	const JsonNode *holder = &jsonb->nodes.node[0];
	const JsonNode *root = holder + 1;

	make_room(jsonb, len);
	jsonb->refused = false;
	if (root->type == JSON_TOKEN_OBJECT_START ||
		root->type == JSON_TOKEN_ARRAY_START)
		write_value(jsonb, root, jsonb->keys);
	else
		write_array(jsonb, holder, JB_FARRAY | JB_FSCALAR, jsonb->keys);
	Assert(jsonb->used <= (size_t) jsonb->buffer.maxlen);
	return !jsonb->refused;
}

RowInputResult
row_jsonb_value(RowJsonb *jsonb, const char *text, size_t len, Datum *datum)
{
	RowInputResult result = ROW_INPUT_CALL;

	if (len > DOCUMENT_MAX_BYTES)
		return ROW_INPUT_CALL;
	if (json_nodes_read(&jsonb->nodes, text, len) &&
		write_document(jsonb, len))
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
