/*
 * row_places.c
 *	  The places in a JSON document from which fields take their values, and
 *	  the walk along them.
 *
 * The places form a tree: a node is a place in the document, with the fields
 * that take the value there, and the wanted members and elements of that
 * value.  The document is walked along that tree; what is not in the tree is
 * checked, but skipped.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "row/row_places.h"

#define MEMBER_BUCKETS 64

/* An escape has at most so many bytes for each byte that it stands for. */
#define ESCAPE_BYTES 6

/* A list of fields. */
typedef struct RowTarget
{
	struct RowTarget *next;
	int			field;
} RowTarget;

typedef struct RowNode
{
	RowTarget  *targets;		/* fields that take the value of this place */
	struct RowMember **members; /* hash table; NULL if there are none */
	struct RowElement *elements;	/* by index */
	uint64		document;		/* number of the one in which it was met last */
} RowNode;

typedef struct RowMember
{
	struct RowMember *next;		/* in its bucket */
	const char *key;			/* UTF-8 */
	size_t		len;
	RowTarget  *folded;			/* fields that take it if no member has their
								 * exact name */
	bool		takes_folded;	/* folded take the member being read */
	RowNode		node;
} RowMember;

typedef struct RowElement
{
	struct RowElement *next;
	int			index;
	RowNode		node;
} RowElement;

struct RowPlaces
{
	RowNode		root;
	int			n_fields;
	bool	   *exact;			/* by field: found by its exact name */
	bool		has_elements;
	StringInfoData text;
	MemoryContext cxt;			/* of the nodes and key */
	char	   *key;			/* an unescaped key */
	size_t		key_size;		/* room for the escaped form of any that is
								 * wanted */

	/* of the walk at hand */
	uint64		document;		/* number of the document */
	JsonScan   *scan;
	JsonSlice  *values;			/* by field */
};

static JsonToken read_value(RowPlaces *places, RowNode *node,
							JsonSlice *value);

RowPlaces *
row_places_open(int max_fields)
{
	RowPlaces  *places = palloc0(sizeof(RowPlaces));

	places->exact = palloc(max_fields * sizeof(bool));
	places->cxt = CurrentMemoryContext;
	initStringInfo(&places->text);
	return places;
}

/*
 * The bucket of a key: the same for keys that differ only in the case of ASCII
 * letters.
 */
static inline unsigned
key_bucket(const char *key, size_t len)
{
	unsigned	hash = len;

	if (len > 0)
		hash = hash * 31 + ((key[0] | 0x20) * 7 ^ (key[len / 2] | 0x20) * 5 ^
							(key[len - 1] | 0x20));
	return hash % MEMBER_BUCKETS;
}

static bool
same_ignoring_case(const char *a, const char *b, size_t len)
{
	for (; len > 0; len--, a++, b++)
	{
		if (pg_ascii_tolower((unsigned char) *a) !=
			pg_ascii_tolower((unsigned char) *b))
			return false;
	}
	return true;
}

static RowMember *
member_of(RowPlaces *places, RowNode *node, const char *name)
{
	const char *key = pg_server_to_any(name, strlen(name), PG_UTF8);
	size_t		len = strlen(key);
	RowMember **bucket;
	RowMember  *member;

	if (node->members == NULL)
		node->members = palloc0(MEMBER_BUCKETS * sizeof(RowMember *));
	bucket = &node->members[key_bucket(key, len)];
	for (member = *bucket; member != NULL; member = member->next)
	{
		if (strcmp(member->key, key) == 0)
			return member;
	}

	places->key_size = Max(places->key_size, len * ESCAPE_BYTES);
	member = palloc0(sizeof(RowMember));
	member->key = pstrdup(key);
	member->len = len;
	member->next = *bucket;
	*bucket = member;
	return member;
}

static RowElement *
element_of(RowNode *node, int index)
{
	RowElement **link = &node->elements;
	RowElement *element;

	while (*link != NULL && (*link)->index < index)
		link = &(*link)->next;
	if (*link != NULL && (*link)->index == index)
		return *link;

	element = palloc0(sizeof(RowElement));
	element->index = index;
	element->next = *link;
	*link = element;
	return element;
}

static void
add_target(RowTarget **list, int field)
{
	RowTarget  *target = palloc(sizeof(RowTarget));

	target->field = field;
	target->next = *list;
	*list = target;
}

void
row_places_add_name(RowPlaces *places, const char *name)
{
	RowMember  *member = member_of(places, &places->root, name);

	appendStringInfo(&places->text, "name %zu %s\n", strlen(name), name);
	add_target(&member->node.targets, places->n_fields);
	add_target(&member->folded, places->n_fields);
	places->n_fields++;
}

void
row_places_add_path(RowPlaces *places, const RowPathStep *path, int n_path)
{
	RowNode    *node = &places->root;

	appendStringInfo(&places->text, "path %d", n_path);
	for (int i = 0; i < n_path; i++)
	{
		const char *key = path[i].key;

		if (key != NULL)
		{
			appendStringInfo(&places->text, " %zu %s", strlen(key), key);
			node = &member_of(places, node, key)->node;
		}
		else
		{
			node = &element_of(node, path[i].index)->node;
			places->has_elements = true;
		}
	}
	appendStringInfoChar(&places->text, '\n');
	add_target(&node->targets, places->n_fields++);
}

static void
take_exact(RowPlaces *places, const RowTarget *target, const JsonSlice *value)
{
	for (; target != NULL; target = target->next)
	{
		places->values[target->field] = *value;
		places->exact[target->field] = true;
	}
}

static void
take_folded(RowPlaces *places, const RowTarget *target, const JsonSlice *value)
{
	for (; target != NULL; target = target->next)
	{
		if (!places->exact[target->field])
			places->values[target->field] = *value;
	}
}

static inline void
clear_value(JsonSlice *value)
{
	value->type = JSON_TOKEN_NULL;
	value->start = NULL;
}

/*
 * Forget what was taken from a value, as its key occurs again: the last one
 * wins with all that it holds.
 */
static void
forget_below(RowPlaces *places, const RowNode *node)
{
	const RowElement *element;
	const RowMember *member;
	const RowTarget *target;

	for (target = node->targets; target != NULL; target = target->next)
		clear_value(&places->values[target->field]);
	for (int i = 0; node->members != NULL && i < MEMBER_BUCKETS; i++)
	{
		for (member = node->members[i]; member != NULL; member = member->next)
			forget_below(places, &member->node);
	}
	for (element = node->elements; element != NULL; element = element->next)
		forget_below(places, &element->node);
}

/*
 * The key that was just read, without escapes; NULL if it cannot be a text or
 * is too long to be wanted.
 */
static const char *
plain_key(RowPlaces *places, size_t *len)
{
	const JsonSlice *key = &places->scan->value;

	*len = key->len;
	if (!key->escaped)
		return key->start;
	if (key->len > places->key_size)
		return NULL;
	if (places->key == NULL)
		places->key = MemoryContextAlloc(places->cxt, places->key_size);
	if (json_unescape(key->start, key->len, places->key, len) != JSON_SCAN_OK)
		return NULL;
	return places->key;
}

/*
 * Read the value of the member whose key was just read.  Find out who takes it
 * first, as a key within the value may reuse the buffer of this one.
 */
static JsonToken
read_member(RowPlaces *places, const RowNode *parent)
{
	size_t		len;
	const char *key = plain_key(places, &len);
	RowMember  *bucket = NULL;
	RowMember  *exact = NULL;
	RowMember  *member;
	JsonSlice	value;
	JsonToken	type;

	if (key != NULL)
		bucket = parent->members[key_bucket(key, len)];
	for (member = bucket; member != NULL; member = member->next)
	{
		member->takes_folded = false;
		if (member->len != len)
			continue;
		if (memcmp(member->key, key, len) == 0)
			exact = member;
		else if (member->folded != NULL)
			member->takes_folded = same_ignoring_case(member->key, key, len);
	}

	if (exact != NULL)
		type = read_value(places, &exact->node, &value);
	else
		type = json_scan_value(places->scan, &value);

	for (member = bucket; member != NULL; member = member->next)
	{
		if (member->takes_folded)
			take_folded(places, member->folded, &value);
	}
	return type;
}

/* Read from behind the opening brace to behind the closing one. */
static JsonToken
read_members(RowPlaces *places, const RowNode *node)
{
	JsonToken	type;

	while ((type = json_scan_next(places->scan)) == JSON_TOKEN_KEY)
	{
		if (read_member(places, node) == JSON_TOKEN_ERROR)
			return JSON_TOKEN_ERROR;
	}
	return type;
}

/* Read from behind the opening bracket to behind the closing one. */
static JsonToken
read_elements(RowPlaces *places, const RowNode *node)
{
	RowElement *wanted = node->elements;
	JsonSlice	value;
	JsonToken	type;

	for (int index = 0; wanted != NULL; index++)
	{
		if (wanted->index == index)
		{
			type = read_value(places, &wanted->node, &value);
			wanted = wanted->next;
		}
		else
			type = json_scan_value(places->scan, &value);
		if (type == JSON_TOKEN_ERROR || type == JSON_TOKEN_ARRAY_END)
			return type;
	}
	return json_scan_leave(places->scan);
}

/*
 * Read the value at node, and let the node's fields take it.  Returns its
 * type, or JSON_TOKEN_ARRAY_END if it is to be an element of an array that has
 * no more.
 */
static JsonToken
read_value(RowPlaces *places, RowNode *node, JsonSlice *value)
{
	JsonScan   *scan = places->scan;
	JsonToken	type;
	JsonToken	last;

	if (node->members == NULL && node->elements == NULL)
		type = last = json_scan_value(scan, value);
	else
	{
		if (node->document == places->document)
			forget_below(places, node);
		node->document = places->document;

		type = last = json_scan_next(scan);
		*value = scan->value;
		if (type == JSON_TOKEN_OBJECT_START)
			last = node->members ? read_members(places, node) :
				json_scan_leave(scan);
		else if (type == JSON_TOKEN_ARRAY_START)
			last = node->elements ? read_elements(places, node) :
				json_scan_leave(scan);
		value->len = scan->value.start + scan->value.len - value->start;
	}
	if (last == JSON_TOKEN_ERROR)
		return JSON_TOKEN_ERROR;
	if (type != JSON_TOKEN_ARRAY_END)
		take_exact(places, node->targets, value);
	return type;
}

JsonToken
row_places_walk(RowPlaces *places, JsonScan *scan, JsonSlice *values,
				JsonSlice *document)
{
	for (int i = 0; i < places->n_fields; i++)
		clear_value(&values[i]);
	memset(places->exact, 0, places->n_fields * sizeof(bool));
	places->document++;
	places->scan = scan;
	places->values = values;
	return read_value(places, &places->root, document);
}

bool
row_places_have_members(const RowPlaces *places)
{
	return places->root.members != NULL;
}

bool
row_places_have_elements(const RowPlaces *places)
{
	return places->has_elements;
}

const char *
row_places_text(const RowPlaces *places)
{
	return places->text.data;
}
