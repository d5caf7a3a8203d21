/*
 * row_jsonb.h
 *	  Writes a JSON document in jsonb's stored form: a matter of the row room.
 */
#ifndef TRACKING_ROW_ROW_JSONB_H
#define TRACKING_ROW_ROW_JSONB_H

#include "postgres.h"

#include "json/json_shape.h"
#include "row/row_memory.h"
#include "row/row_value.h"

/* Make a writer, in the current context, which must outlive it. */
extern RowJsonb *row_jsonb_open(void);

/*
 * Make of a document, which JsonScan must have accepted, what jsonb_in makes
 * of it, byte for byte.  ROW_INPUT_CALL leaves the document to jsonb_in, which
 * may throw: one that jsonb_in may refuse (\u0000, lone surrogates, numbers
 * beyond numeric).  A large document is never left to jsonb_in, which takes
 * some fifty times the text: with may_call, it is made here, whatever it
 * holds, or refused.  shaped is the whole document, of which this one is a
 * part, if its shape is known, or NULL; memory is NULL if there is no limit.
 */
extern RowInputResult row_jsonb_value(RowJsonb *jsonb,
									  const JsonShaped *shaped,
									  const RowMemory *memory,
									  const char *text, size_t len,
									  bool may_call, Datum *datum,
									  RowError *error);

#endif							/* TRACKING_ROW_ROW_JSONB_H */
