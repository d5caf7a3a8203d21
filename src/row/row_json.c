/*
 * row_json.c
 *	  Find the values of columns in JSON documents, in one pass.
 *
 * A record is one document, as a rule; it may be several, one after the other
 * or as the elements of an array.
 *
 * Wanted places form a tree: a node is a place in the document, with the
 * fields that take what stands there, the members below it that are wanted,
 * and the elements.  The document is walked along that tree; what is off it
 * is skipped, though checked.  Nothing is converted here.
 *
 * Of documents that are shaped like one before, values are taken without such
 * a walk.  That is left alone where an element of an array is wanted, as arrays
 * differ within a shape, and for documents in an array, which are many rows of
 * one record.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "row/payload_name.h"
#include "row/row_json.h"
#include "row/row_shape.h"
#include "row/row_value.h"

#define MEMBER_BUCKETS 64

/* An escape has at most so many bytes for each of what it stands for. */
#define ESCAPE_BYTES 6

/* A list of fields. */
typedef struct RowTarget
{
	struct RowTarget *next;
	int			field;
} RowTarget;

typedef struct RowNode
{
	RowTarget  *targets;		/* take the value of this place */
	struct RowMember **members; /* hash table; NULL if there are none */
	struct RowElement *elements;	/* by index */
	uint64		document;		/* in which it was met last */
} RowNode;

typedef struct RowMember
{
	struct RowMember *next;		/* in its bucket */
	const char *key;			/* UTF-8 */
	size_t		len;
	RowTarget  *folded;			/* take it if no member has their exact name */
	bool		takes_folded;	/* the member being read */
	RowNode		node;
} RowMember;

typedef struct RowElement
{
	struct RowElement *next;
	int			index;
	RowNode		node;
} RowElement;

struct RowJson
{
	RowNode		root;
	bool		takes_members;
	int			n_fields;
	bool	   *exact;			/* by field: found by its exact name */
	uint64		document;		/* number of the current one, of all */
	MemoryContext cxt;			/* of all of it */
	StringInfoData fields;		/* all of them, as a text */
	bool		may_have_shape;
	RowShapes  *shapes;			/* NULL before the first document */
	char	   *key;			/* an unescaped key */
	size_t		key_size;		/* room for the escaped form of any that is
								 * wanted */

	/* of the current record */
	RowJsonPlace at;

	/* of the current document */
	JsonSlice  *values;
	const JsonShaped *shaped;	/* or NULL */
};

static JsonToken read_value(RowJson *json, RowNode *node, JsonSlice *value);

RowJson *
row_json_open(int max_fields, bool takes_members)
{
	RowJson    *json = palloc0(sizeof(RowJson));

	json->takes_members = takes_members;
	json->exact = palloc(max_fields * sizeof(bool));
	json->cxt = CurrentMemoryContext;
	initStringInfo(&json->fields);
	json->may_have_shape = true;
	return json;
}

/* Same for names that differ in the case of ASCII letters only. */
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
member_of(RowJson *json, RowNode *node, const char *name)
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

	json->key_size = Max(json->key_size, len * ESCAPE_BYTES);
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
row_json_add_name(RowJson *json, const char *name)
{
	RowMember  *member = member_of(json, &json->root, name);

	appendStringInfo(&json->fields, "name %zu %s\n", strlen(name), name);
	add_target(&member->node.targets, json->n_fields);
	add_target(&member->folded, json->n_fields);
	json->n_fields++;
}

void
row_json_add_path(RowJson *json, const RowPathStep *path, int n_path)
{
	RowNode    *node = &json->root;
	int			i;

	appendStringInfo(&json->fields, "path %d", n_path);
	for (i = 0; i < n_path; i++)
	{
		const char *key = path[i].key;

		if (key != NULL)
		{
			appendStringInfo(&json->fields, " %zu %s", strlen(key), key);
			node = &member_of(json, node, key)->node;
		}
		else
		{
			node = &element_of(node, path[i].index)->node;
			json->may_have_shape = false;
		}
	}
	appendStringInfoChar(&json->fields, '\n');
	add_target(&node->targets, json->n_fields++);
}

static void
take_exact(RowJson *json, const RowTarget *target, const JsonSlice *value)
{
	for (; target != NULL; target = target->next)
	{
		json->values[target->field] = *value;
		json->exact[target->field] = true;
	}
}

static void
take_folded(RowJson *json, const RowTarget *target, const JsonSlice *value)
{
	for (; target != NULL; target = target->next)
	{
		if (!json->exact[target->field])
			json->values[target->field] = *value;
	}
}

static inline void
clear_value(JsonSlice *value)
{
	value->type = JSON_TOKEN_NULL;
	value->start = NULL;
}

/*
 * A key is there twice: the last one wins with all that is in it, so what was
 * taken from inside the first is forgotten.
 */
static void
forget_below(RowJson *json, const RowNode *node)
{
	const RowElement *element;
	const RowMember *member;
	const RowTarget *target;
	int			i;

	for (target = node->targets; target != NULL; target = target->next)
		clear_value(&json->values[target->field]);
	for (i = 0; node->members != NULL && i < MEMBER_BUCKETS; i++)
	{
		for (member = node->members[i]; member != NULL; member = member->next)
			forget_below(json, &member->node);
	}
	for (element = node->elements; element != NULL; element = element->next)
		forget_below(json, &element->node);
}

/*
 * The key that was just read, without escapes; NULL if no text can be it, or
 * none that is wanted.
 */
static const char *
plain_key(RowJson *json, size_t *len)
{
	const JsonSlice *key = &json->at.scan.value;

	*len = key->len;
	if (!key->escaped)
		return key->start;
	if (key->len > json->key_size)
		return NULL;
	if (json->key == NULL)
		json->key = MemoryContextAlloc(json->cxt, json->key_size);
	if (json_unescape(key->start, key->len, json->key, len) != JSON_SCAN_OK)
		return NULL;
	return json->key;
}

/*
 * The value of the member whose key was just read.  Who takes it is told
 * before it is read, as a key inside it may reuse the buffer of this one.
 */
static JsonToken
read_member(RowJson *json, const RowNode *parent)
{
	size_t		len;
	const char *key = plain_key(json, &len);
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
		type = read_value(json, &exact->node, &value);
	else
		type = json_scan_value(&json->at.scan, &value);

	for (member = bucket; member != NULL; member = member->next)
	{
		if (member->takes_folded)
			take_folded(json, member->folded, &value);
	}
	return type;
}

/* From behind the opening brace to behind the closing one. */
static JsonToken
read_members(RowJson *json, const RowNode *node)
{
	JsonToken	type;

	while ((type = json_scan_next(&json->at.scan)) == JSON_TOKEN_KEY)
	{
		if (read_member(json, node) == JSON_TOKEN_ERROR)
			return JSON_TOKEN_ERROR;
	}
	return type;
}

/* From behind the opening bracket to behind the closing one. */
static JsonToken
read_elements(RowJson *json, const RowNode *node)
{
	RowElement *wanted = node->elements;
	JsonSlice	value;
	JsonToken	type;
	int			index;

	for (index = 0; wanted != NULL; index++)
	{
		if (wanted->index == index)
		{
			type = read_value(json, &wanted->node, &value);
			wanted = wanted->next;
		}
		else
			type = json_scan_value(&json->at.scan, &value);
		if (type == JSON_TOKEN_ERROR || type == JSON_TOKEN_ARRAY_END)
			return type;
	}
	return json_scan_leave(&json->at.scan);
}

/*
 * Read the value that stands at node, and let its fields take it.  Returns
 * its type, or JSON_TOKEN_ARRAY_END where an array has no more elements.
 */
static JsonToken
read_value(RowJson *json, RowNode *node, JsonSlice *value)
{
	JsonScan   *scan = &json->at.scan;
	JsonToken	type;
	JsonToken	last;

	if (node->members == NULL && node->elements == NULL)
		type = last = json_scan_value(scan, value);
	else
	{
		if (node->document == json->document)
			forget_below(json, node);
		node->document = json->document;

		type = last = json_scan_next(scan);
		*value = scan->value;
		if (type == JSON_TOKEN_OBJECT_START)
			last = node->members ? read_members(json, node) :
				json_scan_leave(scan);
		else if (type == JSON_TOKEN_ARRAY_START)
			last = node->elements ? read_elements(json, node) :
				json_scan_leave(scan);
		value->len = scan->value.start + scan->value.len - value->start;
	}
	if (last == JSON_TOKEN_ERROR)
		return JSON_TOKEN_ERROR;
	if (type != JSON_TOKEN_ARRAY_END)
		take_exact(json, node->targets, value);
	return type;
}

void
row_json_error(const JsonScan *scan, RowError *error)
{
	size_t		offset = json_scan_error_offset(scan);
	const char *text = json_scan_text(scan);
	const char *name = NULL;
	const char *end;

	(void) json_scan_rest(scan, &end);
	if (offset == 0)
		name = payload_name(text, end - text);
	if (name != NULL)
	{
		row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
					  "record is not JSON: it begins %s", name);
		return;
	}
	switch (scan->error)
	{
		case JSON_SCAN_EMPTY:
			row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
						  "record is empty");
			break;
		case JSON_SCAN_BAD_UTF8:
			row_error_set(error, ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
						  "record is not valid UTF-8 at byte %zu", offset);
			break;
		case JSON_SCAN_TOO_DEEP:
			row_error_set(error, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
						  "record is nested more than %d levels deep at byte %zu",
						  JSON_SCAN_MAX_DEPTH, offset);
			break;
		default:
			row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
						  "record is not valid JSON: %s at byte %zu",
						  json_scan_error_text(scan->error), offset);
			break;
	}
}

void
row_json_begin(RowJson *json, const char *text, size_t len)
{
	json_scan_init(&json->at.scan, text, len);
	json->at.n_documents = 0;
	json->at.begun = false;
	json->at.in_array = false;
}

/*
 * Go to where the next document is; false if there is none.  An array is
 * entered; that it has no more elements is met in reading one.
 */
static bool
find_document(RowJson *json)
{
	if (json->at.in_array)
		return true;
	if (json->at.begun && !json_scan_more(&json->at.scan))
		return false;
	json->at.begun = true;
	if (json_scan_at_array(&json->at.scan))
	{
		json_scan_next(&json->at.scan);
		json->at.in_array = true;
	}
	return true;
}

static JsonToken
walk_document(RowJson *json, JsonSlice *value)
{
	for (int i = 0; i < json->n_fields; i++)
		clear_value(&json->values[i]);
	memset(json->exact, 0, json->n_fields * sizeof(bool));
	json->document++;
	return read_value(json, &json->root, value);
}

/* Read the document that was found; returns as read_value() does. */
static JsonToken
read_document(RowJson *json)
{
	bool		may_have_shape = json->may_have_shape && !json->at.in_array;
	int			n = json->n_fields;
	JsonSlice	value;
	JsonToken	type;

	json->shaped = NULL;
	if (json->shapes == NULL && may_have_shape)
		json->shapes = row_shapes_open(json->cxt, json->fields.data);
	if (may_have_shape)
	{
		const char *end;
		const char *start = json_scan_rest(&json->at.scan, &end);

		json->shaped = row_shapes_find(json->shapes, start, end, n,
									   json->values);
		if (json->shaped != NULL)
		{
			json_scan_passed(&json->at.scan, json->shaped->end);
			return JSON_TOKEN_OBJECT_START;
		}
	}
	type = walk_document(json, &value);
	if (may_have_shape && type == JSON_TOKEN_OBJECT_START)
		json->shaped = row_shapes_learn(json->shapes, value.start,
										value.start + value.len, n,
										json->values);
	return type;
}

RowJsonResult
row_json_next(RowJson *json, JsonSlice *values, RowError *error)
{
	JsonToken	type = JSON_TOKEN_ARRAY_END;

	json->values = values;
	while (type == JSON_TOKEN_ARRAY_END && find_document(json))
	{
		type = read_document(json);
		json->at.in_array &= type != JSON_TOKEN_ARRAY_END;
	}
	if (json->at.scan.error != JSON_SCAN_OK)
	{
		row_json_error(&json->at.scan, error);
		return json->at.scan.error == JSON_SCAN_EMPTY ? ROW_JSON_EMPTY :
			ROW_JSON_BAD;
	}
	if (type == JSON_TOKEN_ARRAY_END)
		return ROW_JSON_END;

	json->at.n_documents++;
	if (type == JSON_TOKEN_OBJECT_START ||
		(json->root.members == NULL && !json->takes_members))
		return ROW_JSON_FOUND;
	if (json->at.n_documents == 1)
		row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
					  "record is not a JSON object");
	else
		row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
					  "document %d of the record is not a JSON object",
					  json->at.n_documents);
	return ROW_JSON_BAD;
}

void
row_json_tell(const RowJson *json, RowJsonPlace *place)
{
	*place = json->at;
}

void
row_json_seek(RowJson *json, const RowJsonPlace *place)
{
	json->at = *place;
}

const JsonShaped *
row_json_shaped(const RowJson *json)
{
	return json->shaped;
}
