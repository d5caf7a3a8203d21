/*
 * json_shape_learn.c
 *	  The shape of a document that is unlike those before.
 */
#include <string.h>

#include "base/json_shape_step.h"

/* Objects that are open at once; documents are hardly ever deeper. */
#define OPEN_OBJECTS 16

/* Steps that may follow a value: each that is not met costs a comparison. */
#define ALTERNATIVES 16

/* So many documents that cannot have a shape are too many. */
#define FAILED_LESSONS 64

/*
 * Documents without a shape, since no more are learned, before it is asked
 * whether shapes pay: if not more than so many had one, they do not.
 */
#define TRIAL_DOCUMENTS 1024

/* A document whose shape is being learned. */
typedef struct Lesson
{
	JsonShapes *shapes;
	JsonShaped *shaped;
	JsonScan	scan;
	const char *from;			/* the step being read */
	Step	  **link;			/* where it belongs */
	uint32_t	n_values;
	uint32_t	n_objects;
	int			n_open;
	JsonShapeObject *open[OPEN_OBJECTS];
	JsonShapeObject objects[JSON_SHAPE_OBJECTS];
} Lesson;

/*
 * The step from where the last value ended up to here: it is there, or becomes
 * one of those that may follow.
 */
static Step *
find_step(Lesson *lesson, const char *to)
{
	size_t		len = to - lesson->from;
	size_t		padded = (len / JSON_SHAPE_PIECE + 1) * JSON_SHAPE_PIECE;
	int			n = 0;
	Step	   *step;
	char	   *text;

	for (; *lesson->link != NULL; lesson->link = &(*lesson->link)->other, n++)
	{
		step = *lesson->link;
		if (step->len == len && memcmp(step->text, lesson->from, len) == 0)
			return step;
	}
	if (n == ALTERNATIVES ||
		(step = json_shapes_alloc(lesson->shapes, sizeof(Step))) == NULL ||
		(text = json_shapes_alloc(lesson->shapes, padded)) == NULL)
		return NULL;

	memset(text, 0, padded);
	memcpy(text, lesson->from, len);
	memset(step, 0, sizeof(Step));
	step->text = text;
	step->len = len;
	step->depth = lesson->n_open;
	*lesson->link = step;
	return step;
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

/* The value that was just read, or begun. */
static bool
learn_value(Lesson *lesson)
{
	JsonScan   *scan = &lesson->scan;
	bool		string = scan->value.type == JSON_TOKEN_STRING;
	JsonSlice  *value = &lesson->shaped->values[lesson->n_values];
	const char *end;
	Step	   *step;

	if (lesson->n_values == JSON_SHAPE_VALUES)
		return false;
	*value = scan->value;
	step = find_step(lesson, value->start - string);
	if (step == NULL)
		return false;
	if (value->type == JSON_TOKEN_ARRAY_START)
		json_scan_leave(scan);
	lesson->from = json_scan_rest(scan, &end);
	value->len = lesson->from - string - value->start;
	lesson->link = &step->next;
	lesson->n_values++;
	return true;
}

/* The document ends here. */
static bool
learn_shape(Lesson *lesson, const char *end)
{
	size_t		objects_bytes = lesson->n_objects * sizeof(JsonShapeObject);
	Step	   *step = find_step(lesson, end);
	JsonShape  *shape;

	if (step == NULL)
		return false;
	shape = json_shapes_alloc(lesson->shapes, sizeof(JsonShape) + objects_bytes);
	if (shape == NULL)
		return false;
	shape->n_values = lesson->n_values;
	shape->n_objects = lesson->n_objects;
	shape->data = NULL;
	memcpy(shape->objects, lesson->objects, objects_bytes);
	step->shape = shape;
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
	shapes->n_matched = 0;
	shapes->n_failed = 0;
	shapes->n_missed = 0;
}

/*
 * No more are learned.  What documents look like may have changed since; or
 * there are as many shapes as documents, and looking for them is in vain.
 */
static bool
learn_again(JsonShapes *shapes)
{
	if (++shapes->n_missed < TRIAL_DOCUMENTS)
		return false;
	shapes->given_up = shapes->n_matched < TRIAL_DOCUMENTS;
	forget_all(shapes);
	return !shapes->given_up;
}

bool
json_shapes_learn(JsonShapes *shapes, const char *text, const char *end,
				  JsonShaped *shaped)
{
	Lesson		lesson;

	if (shapes->given_up || (shapes->full && !learn_again(shapes)))
		return false;
	lesson.shapes = shapes;
	lesson.shaped = shaped;
	lesson.from = text;
	lesson.link = &shapes->first;
	lesson.n_values = 0;
	lesson.n_objects = 0;
	lesson.n_open = 0;
	if (learn_document(&lesson, text, end))
		return true;
	shapes->full |= ++shapes->n_failed == FAILED_LESSONS;
	return false;
}
