/*
 * row_jsonb.h
 *	  A JSON document in jsonb's stored form: a matter of the row room.
 */
#ifndef TRACKING_ROW_ROW_JSONB_H
#define TRACKING_ROW_ROW_JSONB_H

#include "postgres.h"

#include "base/json_shape.h"
#include "row/row_value.h"

/* In the current context, which must outlive it. */
extern RowJsonb *row_jsonb_open(void);

/*
 * Make a document, which JsonScan must have accepted, what jsonb_in makes of
 * it, byte for byte.  ROW_INPUT_CALL leaves it to that function: what it may
 * refuse (\u0000, lone surrogates, numbers beyond numeric) or is not worth the
 * trouble.  shaped is the document that it is part of, if it has a shape, or NULL.
 */
extern RowInputResult row_jsonb_value(RowJsonb *jsonb,
									  const JsonShaped *shaped,
									  const char *text, size_t len,
									  Datum *datum);

#endif							/* TRACKING_ROW_ROW_JSONB_H */
