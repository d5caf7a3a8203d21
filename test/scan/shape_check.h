/*
 * shape_check.h
 *	  What a document of a shape must be, by the scanner.
 */
#ifndef TRACKING_TEST_SCAN_SHAPE_CHECK_H
#define TRACKING_TEST_SCAN_SHAPE_CHECK_H

#include <string.h>

#include "json/json_shape.h"

/* The object that begins at text, by the scanner: its end, or NULL. */
static inline const char *
scanned_object(const char *text, size_t len)
{
	JsonScan	scan;
	JsonSlice	value;

	json_scan_init(&scan, text, len);
	if (len == 0 || *text != '{' ||
		json_scan_value(&scan, &value) == JSON_TOKEN_ERROR)
		return NULL;
	return value.start + value.len;
}

static inline bool
same_slice(const JsonSlice *a, const JsonSlice *b)
{
	return a->type == b->type && a->start == b->start && a->len == b->len &&
		a->escaped == b->escaped;
}

/* Are values and objects those that the scanner finds? */
static inline bool
is_as_scanned(const JsonShaped *shaped)
{
	const JsonShape *shape = shaped->shape;
	JsonScan	scan;
	JsonToken	type;
	uint32_t	open[JSON_SHAPE_OBJECTS];
	uint32_t	n_open = 0;
	uint32_t	n_objects = 0;
	uint32_t	n_values = 0;
	bool		same = true;

	json_scan_init(&scan, shaped->text, shaped->end - shaped->text);
	while (same && (type = json_scan_next(&scan)) != JSON_TOKEN_END)
	{
		JsonSlice	value = scan.value;
		const JsonShapeObject *object;

		if (type == JSON_TOKEN_ERROR)
			return false;
		if (type == JSON_TOKEN_KEY)
			continue;
		if (type == JSON_TOKEN_OBJECT_START)
		{
			object = &shape->objects[n_objects];
			same = n_objects < shape->n_objects &&
				json_shaped_at(shaped, object->start) == value.start &&
				json_shaped_object(shaped, value.start) == object &&
				object->first_value == n_values;
			open[n_open++] = n_objects++;
			continue;
		}
		if (type == JSON_TOKEN_OBJECT_END)
		{
			object = &shape->objects[open[--n_open]];
			same = json_shaped_at(shaped, object->end) == value.start + 1;
			continue;
		}
		if (type == JSON_TOKEN_ARRAY_START)
		{
			const char *end;

			json_scan_leave(&scan);
			value.len = json_scan_rest(&scan, &end) - value.start;
		}
		same = n_values < shape->n_values &&
			same_slice(&shaped->values[n_values], &value);
		n_values++;
	}
	return same && n_values == shape->n_values &&
		n_objects == shape->n_objects;
}

#endif							/* TRACKING_TEST_SCAN_SHAPE_CHECK_H */
