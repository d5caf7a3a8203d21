/*
 * row_scalar.h
 *	  Converts well-formed texts of common types: a matter of the row room.
 *
 * For the forms that events have, each function gives exactly what the type's
 * input function gives; for any other text, right or wrong, it returns
 * ROW_INPUT_CALL, which leaves the text to the input function.
 */
#ifndef TRACKING_ROW_ROW_SCALAR_H
#define TRACKING_ROW_ROW_SCALAR_H

#include "postgres.h"

#include "row/row_value.h"

extern RowInputResult row_scalar_bool(const char *text, size_t len,
									  Datum *datum);

/* int2, int4, int8: ROW_INPUT_BAD (without a reason) if out of range. */
extern RowInputResult row_scalar_integer(Oid type, const char *text,
										 size_t len, Datum *datum);

/*
 * Convert a JSON number that has a point or an exponent.  ROW_INPUT_BAD,
 * without a reason, if it is out of range or, with *fraction set, not whole.
 */
extern RowInputResult row_scalar_whole(Oid type, const char *text, size_t len,
									   Datum *datum, bool *fraction);

/* A number of JSON. */
extern RowInputResult row_scalar_float8(const char *text, size_t len,
										Datum *datum);

/* A number of JSON, for a numeric without precision and scale. */
extern RowInputResult row_scalar_numeric(const char *text, size_t len,
										 Datum *datum);

extern RowInputResult row_scalar_uuid(const char *text, size_t len,
									  Datum *datum);

/* ISO 8601: date, timestamp and timestamptz without a precision. */
extern RowInputResult row_scalar_datetime(Oid type, const char *text,
										  size_t len, Datum *datum);

#endif							/* TRACKING_ROW_ROW_SCALAR_H */
