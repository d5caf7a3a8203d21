/*
 * row_shape.h
 *	  Takes the values of fields from documents of the same shape: a matter of
 *	  the row room.
 */
#ifndef TRACKING_ROW_ROW_SHAPE_H
#define TRACKING_ROW_ROW_SHAPE_H

#include "postgres.h"

#include "json/json_shape.h"

typedef struct RowShapes RowShapes;

/*
 * The shapes that were learned for these fields, which the text identifies;
 * for use until cxt ends.  Then they are kept for the next decoder with the
 * same fields, as each batch of a pipeline has its own decoder.
 */
extern RowShapes *row_shapes_open(MemoryContext cxt, const char *fields);

/*
 * If an object of a known shape begins at text, and ends at end at the latest,
 * set values[] to what the n fields take, and return the document, which is
 * valid until the next call.  Else return NULL.
 */
extern const JsonShaped *row_shapes_find(RowShapes *shapes, const char *text,
										 const char *end, int n,
										 JsonSlice *values);

/*
 * Learn the shape of an object, from brace to brace, of which the n fields
 * took values[]: slices of it, whose start is NULL where there was nothing to
 * take.  Returns as row_shapes_find() does.
 */
extern const JsonShaped *row_shapes_learn(RowShapes *shapes, const char *text,
										  const char *end, int n,
										  const JsonSlice *values);

#endif							/* TRACKING_ROW_ROW_SHAPE_H */
