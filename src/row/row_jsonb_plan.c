/*
 * row_jsonb_plan.c
 *	  Writes objects of known shapes in jsonb's stored form.
 *
 * All objects of a shape have the same keys, so the keys are sorted once: a
 * plan holds an object's stored form up to its values and, for each member in
 * jsonb's order, which value of the document it has.
 */
#include "postgres.h"

#include "row/row_jsonb_plan.h"
#include "row/row_jsonb_write.h"

typedef struct JsonbMember
{
	struct JsonbPlan *plan;		/* its plan if it is an object, else NULL */
	uint32		value;			/* else the number of its value */
} JsonbMember;

typedef struct JsonbPlan
{
	uint32		n_members;
	uint32		keys_bytes;
	uint32		head_bytes;
	uint32		all_bytes;		/* of its head and those of all plans below */
	char	   *head;			/* header, entries and keys */
	JsonbMember members[FLEXIBLE_ARRAY_MEMBER];
} JsonbPlan;

/*
 * Marks an object without a plan: there was no memory for one, or a key occurs
 * twice, and the value that is left out must be checked all the same.
 */
static JsonbPlan no_plan;

static JsonbPlan *make_plan(RowJsonb *jsonb, JsonShapes *shapes,
							const JsonNode *object, JsonbKey *keys);

/*
 * Store in each key's node the number of the first value behind it, in the
 * member in which containers have their end.  *n is the number of the object's
 * first value.
 */
static void
number_values(JsonNodes *nodes, const JsonNode *object, uint32 *n)
{
	JsonNode   *key = &nodes->node[object - nodes->node + 1];

	for (uint32 i = 0; i < object->len / 2; i++)
	{
		const JsonNode *value = key + 1;

		key->end = *n;
		if (value->type == JSON_TOKEN_OBJECT_START)
			number_values(nodes, value, n);
		else
			(*n)++;
		key = &nodes->node[json_nodes_next(nodes, value) - nodes->node];
	}
}

/*
 * Make the stored form up to the values, whose entries are filled later.
 * False if there is no memory.
 */
static bool
make_head(RowJsonb *jsonb, JsonShapes *shapes, const JsonbKey *keys,
		  JsonbPlan *plan)
{
	uint32		n = plan->n_members;
	size_t		start;
	size_t		entries;

	row_jsonb_align(jsonb);
	start = jsonb->used;
	entries = row_jsonb_write_header(jsonb, n | JB_FOBJECT, n * 2);
	memset(jsonb->out + entries, 0, n * 2 * sizeof(JEntry));
	for (uint32 i = 0; i < n; i++)
		row_jsonb_set_entry(jsonb, entries, i,
							row_jsonb_write_string(jsonb, keys[i].start,
												   keys[i].len),
							&plan->keys_bytes);
	plan->head_bytes = jsonb->used - start;
	plan->head = json_shapes_alloc(shapes, plan->head_bytes);
	if (plan->head == NULL)
		return false;
	memcpy(plan->head, jsonb->out + start, plan->head_bytes);
	plan->all_bytes = plan->head_bytes;
	return true;
}

static bool
make_member(RowJsonb *jsonb, JsonShapes *shapes, const JsonbKey *key,
			JsonbKey *keys, JsonbMember *member)
{
	const JsonNode *name = &jsonb->nodes.node[key->node];

	member->plan = NULL;
	member->value = name->end;
	if (name[1].type != JSON_TOKEN_OBJECT_START)
		return true;
	member->plan = make_plan(jsonb, shapes, name + 1, keys);
	return member->plan != NULL;
}

/*
 * Make an object's plan; NULL if it can have none.  keys is the unused part of
 * the stack of keys.
 */
static JsonbPlan *
make_plan(RowJsonb *jsonb, JsonShapes *shapes, const JsonNode *object,
		  JsonbKey *keys)
{
	uint32		n = row_jsonb_find_keys(jsonb, object, keys);
	JsonbPlan  *plan;

	if (n < object->len / 2)
		return NULL;
	plan = json_shapes_alloc(shapes, offsetof(JsonbPlan, members) +
							 n * sizeof(JsonbMember));
	if (plan == NULL)
		return NULL;
	plan->n_members = n;
	plan->keys_bytes = 0;
	if (!make_head(jsonb, shapes, keys, plan))
		return NULL;
	for (uint32 i = 0; i < n; i++)
	{
		JsonbMember *member = &plan->members[i];

		if (!make_member(jsonb, shapes, &keys[i], keys + n, member))
			return NULL;
		if (member->plan != NULL)
			plan->all_bytes += member->plan->all_bytes;
	}
	return plan;
}

/*
 * Make the plan of an object that has none yet, from the text of one like it;
 * may return no_plan, or NULL if there is none this time.
 */
static JsonbPlan *
plan_object(RowJsonb *jsonb, const JsonShaped *shaped,
			JsonShapeObject *object, const char *text, size_t len)
{
	uint32		n = object->first_value;
	JsonNodes  *nodes = &jsonb->nodes;
	JsonbPlan  *plan;

	if (!json_nodes_read(nodes, text, len))
		return NULL;
	number_values(nodes, &nodes->node[1], &n);
	row_jsonb_make_room(jsonb, row_jsonb_nodes_bytes(jsonb, len));
	plan = make_plan(jsonb, shaped->shapes, &nodes->node[1], jsonb->keys);
	jsonb->used = VARHDRSZ;
	object->data = plan != NULL ? plan : &no_plan;
	return object->data;
}

static JEntry
write_escaped(RowJsonb *jsonb, const JsonSlice *value)
{
	size_t		len = 0;

	if (json_unescape(value->start, value->len, jsonb->out + jsonb->used,
					  &len) != JSON_SCAN_OK)
		jsonb->refused = true;
	jsonb->used += len;
	return JENTRY_ISSTRING | len;
}

static JEntry
write_array(RowJsonb *jsonb, const JsonSlice *value)
{
	if (!json_nodes_read(&jsonb->nodes, value->start, value->len))
	{
		jsonb->refused = true;
		return JENTRY_ISNULL;
	}
	row_jsonb_make_room(jsonb, row_jsonb_nodes_bytes(jsonb, value->len) +
						jsonb->plain_bytes);
	return row_jsonb_write_node(jsonb, &jsonb->nodes.node[1], jsonb->keys);
}

static inline JEntry
write_value(RowJsonb *jsonb, const JsonSlice *value)
{
	switch (value->type)
	{
		case JSON_TOKEN_STRING:
			return value->escaped ? write_escaped(jsonb, value) :
				row_jsonb_write_string(jsonb, value->start, value->len);
		case JSON_TOKEN_NUMBER:
			return row_jsonb_write_number(jsonb, value->start, value->len);
		case JSON_TOKEN_TRUE:
			return JENTRY_ISBOOL_TRUE;
		case JSON_TOKEN_FALSE:
			return JENTRY_ISBOOL_FALSE;
		case JSON_TOKEN_ARRAY_START:
			return write_array(jsonb, value);
		default:
			return JENTRY_ISNULL;
	}
}

static JEntry
write_object(RowJsonb *jsonb, const JsonbPlan *plan, const JsonSlice *values)
{
	uint32		n = plan->n_members;
	uint32		total = plan->keys_bytes;
	size_t		start = jsonb->used;
	size_t		entries;

	row_jsonb_align(jsonb);
	entries = jsonb->used + sizeof(uint32);
	memcpy(jsonb->out + jsonb->used, plan->head, plan->head_bytes);
	jsonb->used += plan->head_bytes;
	for (uint32 i = 0; i < n; i++)
	{
		const JsonbMember *member = &plan->members[i];
		JEntry		entry = member->plan == NULL ?
			write_value(jsonb, &values[member->value]) :
			write_object(jsonb, member->plan, values);

		row_jsonb_set_entry(jsonb, entries, n + i, entry, &total);
	}
	return JENTRY_ISCONTAINER | (jsonb->used - start);
}

bool
row_jsonb_write_shaped(RowJsonb *jsonb, const JsonShaped *shaped,
					   const char *text, size_t len)
{
	JsonShapeObject *object = NULL;
	JsonbPlan  *plan;

	if (*text == '{')
		object = json_shaped_object(shaped, text);
	if (object == NULL)
		return false;
	plan = object->data;
	if (plan == NULL)
		plan = plan_object(jsonb, shaped, object, text, len);
	if (plan == NULL || plan == &no_plan)
		return false;
	jsonb->plain_bytes = plan->all_bytes + len +
		shaped->shape->n_values * ROW_JSONB_VALUE_BYTES;
	row_jsonb_make_room(jsonb, jsonb->plain_bytes);
	write_object(jsonb, plan, shaped->values);
	return true;
}
