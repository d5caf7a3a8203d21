/*
 * json_shape_learn.c
 *	  Learning the shape of a document that has none of the known shapes.
 *
 * Once the memory is full, nothing more is learned.  As long as at least half
 * of the documents have known shapes, these are kept.  Otherwise we forget all
 * shapes and learn new ones, as the documents may look different by now.  If
 * that does not help, the documents differ too much; we try again after a
 * pause, which is longer each time.
 */
#include <string.h>

#include "json/json_shape_node.h"

/* Objects in objects: a document that is deeper has no shape */
#define OPEN_OBJECTS 16

/*
 * After FAILED_LESSONS documents in a row whose shape could not be learned we
 * look at one of FAILED_SHARE only.  That is a prime, as kinds of documents
 * may come in turns.
 */
#define FAILED_LESSONS 64
#define FAILED_SHARE 17

/* After so many documents without a known shape we decide whether to forget */
#define TRIAL_DOCUMENTS 1024

/* Documents in the first pause, and in the longest */
#define FIRST_PAUSE 8192
#define LONGEST_PAUSE (1024 * 1024)

/* A document whose shape is being learned. */
typedef struct Lesson
{
	JsonShapes *shapes;
	JsonShaped *shaped;
	JsonScan	scan;
	const char *from;			/* end of the last value, or the start */
	ShapeNode **list;			/* list of the texts that may follow there */
	size_t		data_bytes;		/* of the shape's data */
	uint32_t	n_values;		/* so far */
	uint32_t	n_objects;		/* so far */
	int			n_open;			/* of objects, now */
	JsonShapeObject *open[OPEN_OBJECTS];	/* the innermost last */
	JsonShapeObject objects[JSON_SHAPE_OBJECTS];
} Lesson;

/* Make a node with a copy of the text; NULL if there is no room. */
static ShapeNode *
new_node(JsonShapes *shapes, const char *text, size_t len)
{
	ShapeNode  *node = json_shapes_alloc(shapes, sizeof(ShapeNode));
	char	   *copy = json_shapes_alloc(shapes, len + JSON_SHAPE_PIECE);

	if (node == NULL || copy == NULL)
		return NULL;
	memcpy(copy, text, len);
	memset(copy + len, 0, JSON_SHAPE_PIECE);
	memset(node, 0, sizeof(ShapeNode));
	node->text = copy;
	node->len = len;
	return node;
}

/*
 * Split a node after the first len bytes of its text: a new node, its only
 * continuation, gets all the rest.  False if there is no room.
 */
static bool
split_node(JsonShapes *shapes, ShapeNode *node, size_t len)
{
	ShapeNode  *rest = json_shapes_alloc(shapes, sizeof(ShapeNode));
	ShapeNode  *other = node->other;
	const char *text = node->text;

	if (rest == NULL)
		return false;
	*rest = *node;
	rest->text += len;
	rest->len -= len;
	rest->other = NULL;
	memset(node, 0, sizeof(ShapeNode));
	node->text = text;
	node->len = len;
	node->more = rest;
	node->other = other;
	return true;
}

static size_t
common_len(const ShapeNode *node, const char *text, size_t len)
{
	size_t		n = 0;

	while (n < len && n < node->len && node->text[n] == text[n])
		n++;
	return n;
}

/*
 * The node that ends the text from the end of the last value up to here.
 * Nodes that are missing are made; NULL if there is no room.
 */
static ShapeNode *
find_node(Lesson *lesson, const char *to)
{
	const char *text = lesson->from;
	ShapeNode **list = lesson->list;

	for (;;)
	{
		size_t		len = to - text;
		size_t		common;
		ShapeNode  *node;

		while (*list != NULL && *(*list)->text != *text)
			list = &(*list)->other;
		node = *list;
		if (node == NULL)
		{
			*list = new_node(lesson->shapes, text, len);
			return *list;
		}
		common = common_len(node, text, len);
		if (common < node->len && !split_node(lesson->shapes, node, common))
			return NULL;
		if (common == len)
			return node;
		text += common;
		list = &node->more;
	}
}

static JsonShapePlace
place_of(const Lesson *lesson, const char *p)
{
	JsonShapePlace place = {lesson->n_values, p - lesson->from};

	return place;
}

static bool
learn_start(Lesson *lesson)
{
	JsonShapeObject *object = &lesson->objects[lesson->n_objects];

	if (lesson->n_objects == JSON_SHAPE_OBJECTS ||
		lesson->n_open == OPEN_OBJECTS)
		return false;
	memset(object, 0, sizeof(*object));
	object->start = place_of(lesson, lesson->scan.value.start);
	object->first_value = lesson->n_values;
	lesson->n_objects++;
	lesson->open[lesson->n_open++] = object;
	return true;
}

/* Learn of the value whose only or first token was just read. */
static bool
learn_value(Lesson *lesson)
{
	JsonScan   *scan = &lesson->scan;
	bool		string = scan->value.type == JSON_TOKEN_STRING;
	JsonSlice  *value = &lesson->shaped->values[lesson->n_values];
	const char *end;
	ShapeNode  *node;

	if (lesson->n_values == JSON_SHAPE_VALUES)
		return false;
	*value = scan->value;
	node = find_node(lesson, value->start - string);
	if (node == NULL)
		return false;
	node->is_value = true;
	node->depth = lesson->n_open;
	if (value->type == JSON_TOKEN_ARRAY_START)
		json_scan_leave(scan);
	lesson->from = json_scan_rest(scan, &end);
	value->len = lesson->from - string - value->start;
	lesson->list = &node->after;
	lesson->n_values++;
	return true;
}

/* Make the shape of the document, which ends at end. */
static bool
learn_shape(Lesson *lesson, const char *end)
{
	size_t		objects_bytes = lesson->n_objects * sizeof(JsonShapeObject);
	ShapeNode  *node = find_node(lesson, end);
	JsonShape  *shape = json_shapes_alloc(lesson->shapes,
										  sizeof(JsonShape) + objects_bytes);
	void	   *data = json_shapes_alloc(lesson->shapes, lesson->data_bytes);

	if (node == NULL || shape == NULL || data == NULL)
		return false;
	shape->n_values = lesson->n_values;
	shape->n_objects = lesson->n_objects;
	shape->data = data;
	memcpy(shape->objects, lesson->objects, objects_bytes);
	node->shape = shape;
	lesson->shaped->shape = shape;
	return true;
}

static bool
learn_document(Lesson *lesson, const char *text, const char *end)
{
	lesson->shaped->shapes = lesson->shapes;
	lesson->shaped->text = text;
	lesson->shaped->end = end;
	json_scan_init(&lesson->scan, text, end - text);
	for (;;)
	{
		switch (json_scan_next(&lesson->scan))
		{
			case JSON_TOKEN_KEY:
				break;
			case JSON_TOKEN_OBJECT_START:
				if (!learn_start(lesson))
					return false;
				break;
			case JSON_TOKEN_OBJECT_END:
				lesson->open[--lesson->n_open]->end =
					place_of(lesson, lesson->scan.value.start + 1);
				if (lesson->n_open == 0)
					return learn_shape(lesson, end);
				break;
			default:
				if (!learn_value(lesson))
					return false;
		}
	}
}

static void
forget_all(JsonShapes *shapes)
{
	shapes->first = NULL;
	shapes->used = sizeof(JsonShapes);
	shapes->full = false;
	shapes->n_failed = 0;
}

/*
 * The memory is full, and a document has no known shape: from time to time,
 * decide whether to forget all shapes.
 */
static void
miss(JsonShapes *shapes)
{
	if (++shapes->n_missed < TRIAL_DOCUMENTS)
		return;
	if (shapes->n_matched >= shapes->n_missed)
		shapes->next_pause = 0;
	else
	{
		forget_all(shapes);
		shapes->pause = shapes->next_pause;
		shapes->next_pause = shapes->pause == 0 ? FIRST_PAUSE :
			shapes->pause < LONGEST_PAUSE / 2 ? 2 * shapes->pause :
			LONGEST_PAUSE;
	}
	shapes->n_matched = shapes->n_missed = 0;
}

/* Should we try to learn the next document's shape? */
static bool
may_learn(JsonShapes *shapes)
{
	if (shapes->pause > 0)
	{
		shapes->pause--;
		return false;
	}
	if (shapes->full)
		miss(shapes);
	if (shapes->full || shapes->pause > 0)
		return false;
	return shapes->n_failed < FAILED_LESSONS ||
		shapes->n_failed++ % FAILED_SHARE == 0;
}

bool
json_shapes_learn(JsonShapes *shapes, const char *text, const char *end,
				  size_t data_bytes, JsonShaped *shaped)
{
	Lesson		lesson;

	if (!may_learn(shapes))
		return false;
	lesson.shapes = shapes;
	lesson.shaped = shaped;
	lesson.from = text;
	lesson.list = &shapes->first;
	lesson.data_bytes = data_bytes;
	lesson.n_values = 0;
	lesson.n_objects = 0;
	lesson.n_open = 0;
	if (learn_document(&lesson, text, end))
	{
		shapes->n_failed = 0;
		return true;
	}
	if (shapes->n_failed < FAILED_LESSONS)
		shapes->n_failed++;
	return false;
}
