/*
 * row_notation.h
 *	  Values that stand in JSON otherwise than to_json() has them: times as
 *	  numbers, bytes as base64.  A matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_NOTATION_H
#define TRACKING_ROW_ROW_NOTATION_H

#include "postgres.h"

#include "row/row_value.h"

/* Raise an error unless values of this column can be noted as spec says. */
extern void row_notation_check(const RowSpec *spec, TupleDesc tupdesc,
							   int column);

/* Is it noted so itself, rather than what it is made of? */
extern bool row_notation_is_of(RowNotation notation, Oid type);

/*
 * The text of a number or string, without escapes, to a value of a type that
 * row_notation_is_of().
 */
extern RowInputResult row_notation_read(const RowInput *input,
										JsonToken token, const char *text,
										size_t len, Datum *datum,
										RowError *error);

/* Append a value of a column that row_notation_check() let pass. */
extern void row_notation_append(StringInfo json, RowNotation notation,
								Oid type, Datum value);

#endif							/* TRACKING_ROW_ROW_NOTATION_H */
