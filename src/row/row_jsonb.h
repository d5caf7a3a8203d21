/*
 * row_jsonb.h
 *	  A JSON document in jsonb's stored form: a matter of the row room.
 */
#ifndef TRACKING_ROW_ROW_JSONB_H
#define TRACKING_ROW_ROW_JSONB_H

#include "postgres.h"

#include "json/json_shape.h"
#include "row/row_memory.h"
#include "row/row_value.h"

/* In the current context, which must outlive it. */
extern RowJsonb *row_jsonb_open(void);

/*
 * Make a document, which JsonScan must have accepted, what jsonb_in makes of
 * it, byte for byte.  ROW_INPUT_CALL leaves it to that function, which may throw:
 * what it may refuse (\u0000, lone surrogates, numbers beyond numeric).  A
 * document that is large is never left to it, as it takes some fifty times the
 * text: with may_call it is made here, whatever it holds, or refused.
 * shaped is the document that it is part of, if it has a shape, or NULL; memory
 * NULL: there is no limit.
 */
extern RowInputResult row_jsonb_value(RowJsonb *jsonb,
									  const JsonShaped *shaped,
									  const RowMemory *memory,
									  const char *text, size_t len,
									  bool may_call, Datum *datum,
									  RowError *error);

#endif							/* TRACKING_ROW_ROW_JSONB_H */
