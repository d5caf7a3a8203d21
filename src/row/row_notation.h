/*
 * row_notation.h
 *	  Values that are not written in JSON as to_json() writes them: times as
 *	  numbers, bytes as base64.  A matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_NOTATION_H
#define TRACKING_ROW_ROW_NOTATION_H

#include "postgres.h"

#include "row/row_value.h"

/*
 * Raise an error if the type of this column or the table's format does not go
 * with the notation that spec gives the column.
 */
extern void row_notation_check(const RowSpec *spec, TupleDesc tupdesc,
							   int column);

/*
 * Does the notation apply to this type, rather than to its elements or base
 * type?
 */
extern bool row_notation_is_of(RowNotation notation, Oid type);

/*
 * Convert the text of a number or string, without escapes, to a type to which
 * row_notation_is_of() says that the notation applies.
 */
extern RowInputResult row_notation_read(const RowInput *input,
										JsonToken token, const char *text,
										size_t len, Datum *datum,
										RowError *error);

/* Append a value of a column that row_notation_check() let pass. */
extern void row_notation_append(StringInfo json, RowNotation notation,
								Oid type, Datum value);

#endif							/* TRACKING_ROW_ROW_NOTATION_H */
