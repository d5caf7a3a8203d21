/*
 * row_shape.c
 *	  Takes the values of fields from documents of the same shape.
 *
 * Which value a field takes follows from keys and their order, so it is the
 * same in all documents of a shape.
 */
#include "postgres.h"

#include "row/row_shape.h"
#include "utils/memutils.h"

/*
 * Memory for shapes and the data kept with them.  An event of 20 values takes
 * some 3 kB, less what it shares with others.
 */
#define SHAPES_BYTES (2 * 1024 * 1024)

/*
 * RowShapes that are kept at most, beside those in use: a pipeline has one,
 * two if it replays.
 */
#define IDLE_SHAPES 2

/* What a field takes: a value by its number, or an object by -1 - number. */
typedef int32 RowTake;

#define TAKES_NOTHING PG_INT32_MIN

struct RowShapes
{
	MemoryContext cxt;			/* of the struct and its shapes */
	const char *fields;
	JsonShapes *shapes;
	JsonShaped	shaped;			/* the document at hand */
	RowShapes  *next;			/* in the list of idle ones */
};

static RowShapes *idle = NULL;	/* the one that was used last is the first */

/* The context of the user ends: put the shapes on the list of idle ones. */
static void
keep_shapes(void *arg)
{
	RowShapes  *shapes = arg;
	RowShapes **last = &idle;

	shapes->next = idle;
	idle = shapes;
	for (int n = 0; n < IDLE_SHAPES && *last != NULL; n++)
		last = &(*last)->next;
	if (*last != NULL)
		MemoryContextDelete((*last)->cxt);
	*last = NULL;
}

/*
 * Take shapes for these fields from the list of idle ones; NULL if there are
 * none.
 */
static RowShapes *
take_idle(const char *fields)
{
	RowShapes **link = &idle;
	RowShapes  *found;

	while (*link != NULL && strcmp((*link)->fields, fields) != 0)
		link = &(*link)->next;
	found = *link;
	if (found != NULL)
		*link = found->next;
	return found;
}

static RowShapes *
make_shapes(const char *fields)
{
	MemoryContext cxt = AllocSetContextCreate(TopMemoryContext,
											  "tracking_fdw shapes",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	RowShapes  *shapes = palloc(sizeof(RowShapes));

	shapes->cxt = cxt;
	shapes->fields = pstrdup(fields);
	shapes->shapes = json_shapes_init(palloc(SHAPES_BYTES), SHAPES_BYTES);
	shapes->next = NULL;
	MemoryContextSwitchTo(old);
	return shapes;
}

RowShapes *
row_shapes_open(MemoryContext cxt, const char *fields)
{
	MemoryContextCallback *callback =
		MemoryContextAlloc(cxt, sizeof(MemoryContextCallback));
	RowShapes  *shapes = take_idle(fields);

	if (shapes == NULL)
		shapes = make_shapes(fields);
	callback->func = keep_shapes;
	callback->arg = shapes;
	MemoryContextRegisterResetCallback(cxt, callback);
	return shapes;
}

static inline void
take(const JsonShaped *shaped, RowTake take, JsonSlice *value)
{
	if (take >= 0)
		*value = shaped->values[take];
	else if (take == TAKES_NOTHING)
		value->type = JSON_TOKEN_NULL;
	else
	{
		const JsonShapeObject *object = &shaped->shape->objects[-1 - take];

		value->start = json_shaped_at(shaped, object->start);
		value->len = json_shaped_at(shaped, object->end) - value->start;
		value->type = JSON_TOKEN_OBJECT_START;
		value->escaped = false;
	}
}

const JsonShaped *
row_shapes_find(RowShapes *shapes, const char *text, const char *end, int n,
				JsonSlice *values)
{
	JsonShaped *shaped = &shapes->shaped;
	const RowTake *takes;

	if (!json_shapes_match(shapes->shapes, text, end, shaped))
		return NULL;
	takes = shaped->shape->data;
	for (int i = 0; i < n; i++)
		take(shaped, takes[i], &values[i]);
	return shaped;
}

/* What a field took, found by the start of its slice. */
static RowTake
find_take(const JsonShaped *shaped, const JsonSlice *value)
{
	const JsonShapeObject *object;

	if (value->start == NULL)
		return TAKES_NOTHING;
	if (value->type == JSON_TOKEN_OBJECT_START)
	{
		object = json_shaped_object(shaped, value->start);
		return -1 - (object - shaped->shape->objects);
	}
	for (uint32 i = 0; i < shaped->shape->n_values; i++)
	{
		if (shaped->values[i].start == value->start)
			return i;
	}
	return TAKES_NOTHING;
}

const JsonShaped *
row_shapes_learn(RowShapes *shapes, const char *text, const char *end, int n,
				 const JsonSlice *values)
{
	JsonShaped *shaped = &shapes->shaped;
	RowTake    *takes;

	if (!json_shapes_learn(shapes->shapes, text, end, n * sizeof(RowTake),
						   shaped))
		return NULL;
	takes = shaped->shape->data;
	for (int i = 0; i < n; i++)
		takes[i] = find_take(shaped, &values[i]);
	return shaped;
}
