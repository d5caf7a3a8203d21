/*
 * json_shape.h
 *	  Reading documents of a known shape without looking up their keys.
 *
 * The events of one producer mostly have the same keys and punctuation, in the
 * same order, and differ only in their values.  The shape of a document is all
 * its text between the values.  If JsonScan has accepted a document before
 * that has the same shape, we need only compare the text between the values
 * and check the values to know that the whole document is valid; and the
 * caller knows which values it wants.
 *
 * Objects are part of a shape.  Arrays are values, as their lengths vary.
 *
 * Shapes live in one piece of memory, which never grows.  Like JsonScan, these
 * functions use nothing of PostgreSQL.
 *
 * json_shapes_learn() is in json_shape_learn.c, the other functions in
 * json_shape.c.
 */
#ifndef TRACKING_JSON_JSON_SHAPE_H
#define TRACKING_JSON_JSON_SHAPE_H

#include "json/json_scan.h"

/* Documents with more values or objects have no shape. */
#define JSON_SHAPE_VALUES 256
#define JSON_SHAPE_OBJECTS 64

/* A place in the documents of a shape, relative to the end of a value. */
typedef struct JsonShapePlace
{
	uint32_t	n_before;		/* number of values before the place */
	uint32_t	offset;			/* bytes after the last of these, or after the
								 * document's start if there is none */
} JsonShapePlace;

typedef struct JsonShapeObject
{
	JsonShapePlace start;		/* its opening brace */
	JsonShapePlace end;			/* after its closing brace */
	uint32_t	first_value;	/* index of the first value in it */
	void	   *data;			/* the caller's; NULL at first */
} JsonShapeObject;

typedef struct JsonShape
{
	uint32_t	n_values;
	uint32_t	n_objects;
	void	   *data;			/* the caller's, of the size that it gave to
								 * json_shapes_learn() */
	JsonShapeObject objects[];	/* by their starts; the first is the document */
} JsonShape;

typedef struct JsonShapes JsonShapes;

/* A document whose shape is known. */
typedef struct JsonShaped
{
	JsonShapes *shapes;
	JsonShape  *shape;
	const char *text;			/* from its opening brace on */
	const char *end;			/* after its closing brace */
	JsonSlice	values[JSON_SHAPE_VALUES];	/* by position; whole arrays */
} JsonShaped;

/*
 * Start with no shapes.  They are put into memory, which must be aligned for
 * any type and outlive them.  A shape takes the text between its values and
 * some 60 bytes a value, less what it has in common with other shapes.
 * json_shape_learn.c says what becomes of the shapes when the memory is full.
 */
extern JsonShapes *json_shapes_init(void *memory, size_t bytes);

/*
 * Does text begin with an object of a known shape, which ends before end?  If
 * so, JsonScan would accept the object, and *shaped is filled.  False means
 * nothing: the text may be valid or not.
 */
extern bool json_shapes_match(JsonShapes *shapes, const char *text,
							  const char *end, JsonShaped *shaped);

/*
 * Learn the shape of an object that JsonScan has accepted and
 * json_shapes_match() did not know; text and end are its braces' outer ends.
 * True: *shaped is filled, and its shape has data_bytes of data, which the
 * caller must fill.  False: learning is not worth it, or there is no room.
 */
extern bool json_shapes_learn(JsonShapes *shapes, const char *text,
							  const char *end, size_t data_bytes,
							  JsonShaped *shaped);

/*
 * Allocate memory beside the shapes, for what the caller keeps with an object;
 * it is forgotten together with the shapes.  NULL if there is no room.
 */
extern void *json_shapes_alloc(JsonShapes *shapes, size_t bytes);

/* The text at a place of a document. */
extern const char *json_shaped_at(const JsonShaped *shaped,
								  JsonShapePlace place);

/* The object whose opening brace is at start; NULL if there is none. */
extern JsonShapeObject *json_shaped_object(const JsonShaped *shaped,
										   const char *start);

#endif							/* TRACKING_JSON_JSON_SHAPE_H */
