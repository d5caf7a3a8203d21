/*
 * json_shape.c
 *	  Reading documents of a known shape; see json_shape.h.
 */
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "json/json_shape_node.h"
#include "json/json_skip.h"

/* Memory is allocated at multiples of this offset */
#define ALIGNMENT 8

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
		if (!shapes->full)
			shapes->n_matched = shapes->n_missed = 0;
		shapes->full = true;
		return NULL;
	}
	shapes->used = at + bytes;
	return shapes->memory + at;
}

/* ----------------------------------------------------------------
 * Reading a document of a known shape
 * ---------------------------------------------------------------- */

/* Compare len bytes; another piece can be read after them on both sides. */
static inline bool
same_text(const char *p, const char *text, size_t len)
{
#ifdef __SSE2__
	for (;;)
	{
		__m128i		a = _mm_loadu_si128((const __m128i *) p);
		__m128i		b = _mm_loadu_si128((const __m128i *) text);
		unsigned	differ = _mm_movemask_epi8(_mm_cmpeq_epi8(a, b)) ^ 0xFFFF;

		if (len <= JSON_SHAPE_PIECE)
			return (differ & ((1U << len) - 1)) == 0;
		if (differ != 0)
			return false;
		p += JSON_SHAPE_PIECE;
		text += JSON_SHAPE_PIECE;
		len -= JSON_SHAPE_PIECE;
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

/* Can a value other than an object begin with this character? */
static inline bool
begins_value(char c)
{
	return c == '"' || c == '-' || is_digit(c) || c == 't' || c == 'f' ||
		c == 'n' || c == '[';
}

/* The node of a list whose text is at p; NULL if there is none. */
static inline const ShapeNode *
find_node(const ShapeNode *node, const char *p, const char *end)
{
	size_t		room = end - p;

	if (room == 0)
		return NULL;
	while (node != NULL && *node->text != *p)
		node = node->other;
	if (node == NULL || room < node->len)
		return NULL;
	if (room >= node->len + JSON_SHAPE_PIECE)
		return same_text(p, node->text, node->len) ? node : NULL;
	return memcmp(p, node->text, node->len) == 0 ? node : NULL;
}

/*
 * Read a value of any kind, by the scanner.  Returns the place after it; NULL
 * if it is no valid value.
 */
static const char *
read_any_value(JsonShapes *shapes, const ShapeNode *node, const char *p,
			   const char *end, JsonSlice *value)
{
	if (json_scan_value_at(&shapes->scan, p, end, node->depth,
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

/* Read a string; p is at its opening quote.  Fast if all bytes are plain. */
static inline const char *
read_string(JsonShapes *shapes, const ShapeNode *node, const char *p,
			const char *end, JsonSlice *value)
{
	const char *quote = json_skip_plain(p + 1, end);

	if (quote == end || *quote != '"')
		return read_any_value(shapes, node, p, end, value);
	return plain_value(value, JSON_TOKEN_STRING, p + 1, quote) + 1;
}

static inline const char *
skip_digits(const char *p, const char *end)
{
	while (p < end && is_digit(*p))
		p++;
	return p;
}

/* Read a number.  Fast if it has no exponent. */
static inline const char *
read_number(JsonShapes *shapes, const ShapeNode *node, const char *p,
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
		return read_any_value(shapes, node, p, end, value);
	return plain_value(value, JSON_TOKEN_NUMBER, p, rest);
}

static inline const char *
read_word(JsonShapes *shapes, const ShapeNode *node, const char *p,
		  const char *end, const char *word, size_t len, JsonToken type,
		  JsonSlice *value)
{
	if ((size_t) (end - p) < len || memcmp(p, word, len) != 0)
		return read_any_value(shapes, node, p, end, value);
	return plain_value(value, type, p, p + len);
}

#define READ_WORD(word, type) \
	read_word(shapes, node, p, end, word, sizeof(word) - 1, type, value)

/* Read the value after a node.  Returns the same as read_any_value(). */
static inline const char *
read_value(JsonShapes *shapes, const ShapeNode *node, const char *p,
		   const char *end, JsonSlice *value)
{
	switch (*p)
	{
		case '"':
			return read_string(shapes, node, p, end, value);
		case 't':
			return READ_WORD("true", JSON_TOKEN_TRUE);
		case 'f':
			return READ_WORD("false", JSON_TOKEN_FALSE);
		case 'n':
			return READ_WORD("null", JSON_TOKEN_NULL);
		case '[':
			return read_any_value(shapes, node, p, end, value);
		default:
			return read_number(shapes, node, p, end, value);
	}
}

bool
json_shapes_match(JsonShapes *shapes, const char *text, const char *end,
				  JsonShaped *shaped)
{
	JsonSlice  *value = shaped->values;
	const char *p = text;
	const ShapeNode *node = find_node(shapes->first, p, end);

	while (node != NULL)
	{
		const ShapeNode *next = node->more;

		p += node->len;
		if (node->shape != NULL)
			break;
		if (node->is_value && p < end && begins_value(*p))
		{
			p = read_value(shapes, node, p, end, value++);
			if (p == NULL)
				return false;
			next = node->after;
		}
		node = find_node(next, p, end);
	}
	if (node == NULL)
		return false;
	shaped->shapes = shapes;
	shaped->shape = node->shape;
	shaped->text = text;
	shaped->end = p;
	shapes->n_matched++;
	return true;
}

/* ----------------------------------------------------------------
 * Places in a document
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

	for (uint32_t i = 0; i < shape->n_objects; i++)
	{
		if (json_shaped_at(shaped, shape->objects[i].start) == start)
			return &shape->objects[i];
	}
	return NULL;
}
