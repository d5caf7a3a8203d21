/*
 * json_shape.c
 *	  Documents that are shaped alike, read without looking at their keys.
 *
 * Shapes are a tree of steps.  A step is a piece of text, followed by a value
 * or the end of the document; what may follow a value is a list of steps, none
 * of which can stand where another can, but that one may be the beginning of
 * another up to an object.
 */
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/json_shape.h"
#include "base/json_skip.h"

/* What is allocated begins at a multiple of that. */
#define ALIGNMENT 8

/* Texts are compared in pieces of that size, and padded to it. */
#define PIECE_BYTES 16

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

typedef struct Step
{
	const char *text;
	uint32_t	len;
	uint32_t	depth;			/* objects open behind it */
	JsonShape  *shape;			/* the document ends; or NULL */
	struct Step *next;			/* behind the value */
	struct Step *other;			/* instead of this one */
} Step;

struct JsonShapes
{
	Step	   *first;
	char	   *memory;
	size_t		bytes;
	size_t		used;
	bool		full;			/* no more are learned */
	bool		given_up;		/* they do not pay */

	/* since they were last forgotten */
	uint32_t	n_matched;
	uint32_t	n_failed;		/* lessons */
	uint32_t	n_missed;		/* while no more were learned */

	JsonScan	scan;			/* of a value that is not plain */
};

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

JsonShapes *
json_shapes_init(void *memory, size_t bytes)
{
	JsonShapes *shapes = memory;

	memset(shapes, 0, sizeof(JsonShapes));
	shapes->memory = memory;
	shapes->bytes = bytes;
	shapes->used = sizeof(JsonShapes);
	return shapes;
}

void *
json_shapes_alloc(JsonShapes *shapes, size_t bytes)
{
	size_t		at = (shapes->used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

	if (at > shapes->bytes || bytes > shapes->bytes - at)
	{
		shapes->full = true;
		return NULL;
	}
	shapes->used = at + bytes;
	return shapes->memory + at;
}

/* ----------------------------------------------------------------
 * Reading a document of a known shape
 * ---------------------------------------------------------------- */

static inline bool
same_text(const char *p, const char *text, size_t len)
{
#ifdef __SSE2__
	for (; len >= PIECE_BYTES; len -= PIECE_BYTES)
	{
		__m128i		a = _mm_loadu_si128((const __m128i *) p);
		__m128i		b = _mm_loadu_si128((const __m128i *) text);

		if (_mm_movemask_epi8(_mm_cmpeq_epi8(a, b)) != 0xFFFF)
			return false;
		p += PIECE_BYTES;
		text += PIECE_BYTES;
	}
#endif
	return memcmp(p, text, len) == 0;
}

/* The same where a whole piece can be read behind the text. */
static inline bool
same_padded_text(const char *p, const char *text, size_t len)
{
#ifdef __SSE2__
	for (;;)
	{
		__m128i		a = _mm_loadu_si128((const __m128i *) p);
		__m128i		b = _mm_loadu_si128((const __m128i *) text);
		unsigned	differ = _mm_movemask_epi8(_mm_cmpeq_epi8(a, b)) ^ 0xFFFF;

		if (len <= PIECE_BYTES)
			return (differ & ((1U << len) - 1)) == 0;
		if (differ != 0)
			return false;
		p += PIECE_BYTES;
		text += PIECE_BYTES;
		len -= PIECE_BYTES;
	}
#else
	return memcmp(p, text, len) == 0;
#endif
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Can a value, other than an object, begin so? */
static inline bool
begins_value(char c)
{
	return c == '"' || c == '-' || is_digit(c) || c == 't' || c == 'f' ||
		c == 'n' || c == '[';
}

/* Does this step stand at p? */
static inline bool
stands_at(const Step *step, const char *p, const char *end)
{
	size_t		room = end - p;

	if (room >= step->len + PIECE_BYTES)
		return same_padded_text(p, step->text, step->len) &&
			(step->shape != NULL || begins_value(p[step->len]));
	if (step->shape != NULL)
		return room >= step->len && same_text(p, step->text, step->len);
	return room > step->len && same_text(p, step->text, step->len) &&
		begins_value(p[step->len]);
}

/* Any value; what follows it, or NULL if it is none. */
static const char *
read_any_value(JsonShapes *shapes, const Step *step, const char *p,
			   const char *end, JsonSlice *value)
{
	if (json_scan_value_at(&shapes->scan, p, end, step->depth,
						   value) == JSON_TOKEN_ERROR)
		return NULL;
	return json_scan_rest(&shapes->scan, &end);
}

static inline const char *
plain_value(JsonSlice *value, JsonToken type, const char *start,
			const char *end)
{
	value->start = start;
	value->len = end - start;
	value->type = type;
	value->escaped = false;
	return end;
}

/* A string of plain bytes, or else any value, from its opening quote. */
static inline const char *
read_string(JsonShapes *shapes, const Step *step, const char *p,
			const char *end, JsonSlice *value)
{
	const char *quote = json_skip_plain(p + 1, end);

	if (quote == end || *quote != '"')
		return read_any_value(shapes, step, p, end, value);
	return plain_value(value, JSON_TOKEN_STRING, p + 1, quote) + 1;
}

static inline const char *
skip_digits(const char *p, const char *end)
{
	while (p < end && is_digit(*p))
		p++;
	return p;
}

/* A number without an exponent, or else any value. */
static inline const char *
read_number(JsonShapes *shapes, const Step *step, const char *p,
			const char *end, JsonSlice *value)
{
	const char *digits = p + (*p == '-');
	const char *rest = skip_digits(digits, end);
	bool		plain = rest > digits && (*digits != '0' || rest == digits + 1);

	if (plain && rest < end && *rest == '.')
	{
		digits = rest + 1;
		rest = skip_digits(digits, end);
		plain = rest > digits;
	}
	if (!plain || rest == end || *rest == 'e' || *rest == 'E')
		return read_any_value(shapes, step, p, end, value);
	return plain_value(value, JSON_TOKEN_NUMBER, p, rest);
}

static inline const char *
read_word(JsonShapes *shapes, const Step *step, const char *p,
		  const char *end, const char *word, size_t len, JsonToken type,
		  JsonSlice *value)
{
	if ((size_t) (end - p) < len || memcmp(p, word, len) != 0)
		return read_any_value(shapes, step, p, end, value);
	return plain_value(value, type, p, p + len);
}

#define READ_WORD(word, type) \
	read_word(shapes, step, p, end, word, sizeof(word) - 1, type, value)

/* The value behind a step; what follows it, or NULL if it is none. */
static inline const char *
read_value(JsonShapes *shapes, const Step *step, const char *p,
		   const char *end, JsonSlice *value)
{
	switch (*p)
	{
		case '"':
			return read_string(shapes, step, p, end, value);
		case 't':
			return READ_WORD("true", JSON_TOKEN_TRUE);
		case 'f':
			return READ_WORD("false", JSON_TOKEN_FALSE);
		case 'n':
			return READ_WORD("null", JSON_TOKEN_NULL);
		case '[':
			return read_any_value(shapes, step, p, end, value);
		default:
			return read_number(shapes, step, p, end, value);
	}
}

bool
json_shapes_match(JsonShapes *shapes, const char *text, const char *end,
				  JsonShaped *shaped)
{
	JsonSlice  *value = shaped->values;
	const Step *step = shapes->first;
	const char *p = text;

	for (;; step = step->next)
	{
		while (step != NULL && !stands_at(step, p, end))
			step = step->other;
		if (step == NULL)
			return false;
		p += step->len;
		if (step->shape != NULL)
			break;
		p = read_value(shapes, step, p, end, value++);
		if (p == NULL)
			return false;
	}
	shaped->shapes = shapes;
	shaped->shape = step->shape;
	shaped->text = text;
	shaped->end = p;
	shapes->n_matched++;
	return true;
}

/* ----------------------------------------------------------------
 * Learning a shape
 * ---------------------------------------------------------------- */

/*
 * The step from where the last value ended up to here: it is there, or becomes
 * one of those that may follow.
 */
static Step *
find_step(Lesson *lesson, const char *to)
{
	size_t		len = to - lesson->from;
	size_t		padded = (len / PIECE_BYTES + 1) * PIECE_BYTES;
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

/* ----------------------------------------------------------------
 * Finding one's way in a document
 * ---------------------------------------------------------------- */

const char *
json_shaped_at(const JsonShaped *shaped, JsonShapePlace place)
{
	const JsonSlice *value;

	if (place.n_before == 0)
		return shaped->text + place.offset;
	value = &shaped->values[place.n_before - 1];
	return value->start + value->len + (value->type == JSON_TOKEN_STRING) +
		place.offset;
}

JsonShapeObject *
json_shaped_object(const JsonShaped *shaped, const char *start)
{
	JsonShape  *shape = shaped->shape;
	uint32_t	i;

	for (i = 0; i < shape->n_objects; i++)
	{
		if (json_shaped_at(shaped, shape->objects[i].start) == start)
			return &shape->objects[i];
	}
	return NULL;
}
