/*
 * json_shape.h
 *	  Documents that are shaped alike, read without looking at their keys.
 *
 * The events of a producer differ in their values; keys, punctuation and the
 * order of both are the same, again and again.  A shape is all that stands
 * between the values of a document.  Where a document has the shape of one
 * that JsonScan has accepted before, to compare what is between its values and
 * to check these is to check all of it; and what of it is wanted is known.
 *
 * Objects are part of a shape.  Arrays are values, as their lengths vary.
 *
 * Shapes live in one piece of memory, which never grows.  Like JsonScan this
 * knows nothing of PostgreSQL.
 */
#ifndef TRACKING_JSON_JSON_SHAPE_H
#define TRACKING_JSON_JSON_SHAPE_H

#include "json/json_scan.h"

/* Documents with more values or objects have no shape. */
#define JSON_SHAPE_VALUES 256
#define JSON_SHAPE_OBJECTS 64

/* Where in a document: so far behind its start or behind a value. */
typedef struct JsonShapePlace
{
	uint32_t	n_before;		/* values before it; 0: from the start */
	uint32_t	offset;
} JsonShapePlace;

typedef struct JsonShapeObject
{
	JsonShapePlace start;		/* its opening brace */
	JsonShapePlace end;			/* behind its closing one */
	uint32_t	first_value;	/* in it, by number */
	void	   *data;			/* the caller's; NULL at first */
} JsonShapeObject;

typedef struct JsonShape
{
	uint32_t	n_values;
	uint32_t	n_objects;		/* as they begin; the first is the document */
	void	   *data;			/* the caller's, of the size it asked for */
	JsonShapeObject objects[];
} JsonShape;

typedef struct JsonShapes JsonShapes;

/* A document that has a shape. */
typedef struct JsonShaped
{
	JsonShapes *shapes;
	JsonShape  *shape;
	const char *text;
	const char *end;			/* what follows its closing brace */
	JsonSlice	values[JSON_SHAPE_VALUES];	/* in their order; arrays whole */
} JsonShaped;

/*
 * Memory for shapes, aligned for anything, which must outlive them.  A shape
 * takes what is between its values and some 60 bytes a value, less what it has
 * in common with others.  What becomes of shapes when there is no more room is
 * told in json_shape_learn.c.
 */
extern JsonShapes *json_shapes_init(void *memory, size_t bytes);

/*
 * Is text, up to end at most, an object of a shape that is known, whatever may
 * follow?  Then it is one to JsonScan, and *shaped is filled.  False tells
 * nothing.
 */
extern bool json_shapes_match(JsonShapes *shapes, const char *text,
							  const char *end, JsonShaped *shaped);

/*
 * Learn the shape of an object, from brace to brace, that JsonScan has accepted
 * and json_shapes_match() did not know; *shaped is filled, and its shape has so
 * many bytes of data, which are the caller's to fill.  False if it is not worth
 * it or there is no room.
 */
extern bool json_shapes_learn(JsonShapes *shapes, const char *text,
							  const char *end, size_t data_bytes,
							  JsonShaped *shaped);

/*
 * Some more of their memory, for what the caller keeps with an object, and
 * forgotten with it; NULL if there is none.
 */
extern void *json_shapes_alloc(JsonShapes *shapes, size_t bytes);

/* What is at a place of a document. */
extern const char *json_shaped_at(const JsonShaped *shaped,
								  JsonShapePlace place);

/* The object that begins there; NULL if none does. */
extern JsonShapeObject *json_shaped_object(const JsonShaped *shaped,
										   const char *start);

#endif							/* TRACKING_JSON_JSON_SHAPE_H */
