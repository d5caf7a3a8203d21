/*
 * row_shape.h
 *	  What fields take of documents that are shaped alike: a matter of the row
 *	  room.
 */
#ifndef TRACKING_ROW_ROW_SHAPE_H
#define TRACKING_ROW_ROW_SHAPE_H

#include "postgres.h"

#include "json/json_shape.h"

typedef struct RowShapes RowShapes;

/*
 * The shapes that were learned for these fields, whatever the text says of
 * them; good until cxt ends.  They are kept for the next one who asks, as
 * every batch of a pipeline has a decoder of its own.
 */
extern RowShapes *row_shapes_open(MemoryContext cxt, const char *fields);

/*
 * If what stands at text, up to end at most, is an object of a known shape,
 * make the n values[] what its fields take, and return the document: good
 * until the next call.  Else NULL.
 */
extern const JsonShaped *row_shapes_find(RowShapes *shapes, const char *text,
										 const char *end, int n,
										 JsonSlice *values);

/*
 * Learn from an object, from brace to brace, of which the fields took the n
 * values[]: slices of it, whose start is NULL where there was nothing to take.
 * Returns as row_shapes_find() does.
 */
extern const JsonShaped *row_shapes_learn(RowShapes *shapes, const char *text,
										  const char *end, int n,
										  const JsonSlice *values);

#endif							/* TRACKING_ROW_ROW_SHAPE_H */
