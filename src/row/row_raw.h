/*
 * row_raw.h
 *	  Payloads that are a value as a whole: a matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_RAW_H
#define TRACKING_ROW_ROW_RAW_H

#include "postgres.h"

#include "row/row_field.h"

/*
 * The bytes of a record, not inflated.  False if the service sent no base64;
 * *error says so.
 */
extern bool row_raw_data(const StreamRecord *record, const char **data,
						 size_t *bytes, RowError *error);

/* Can these bytes be a text?  If not, *error says why. */
extern bool row_raw_is_text(const char *data, size_t bytes, RowError *error);

/* Make a bytea of these bytes. */
extern RowInputResult row_raw_bytea(const RowMemory *memory, const char *data,
									size_t bytes, Datum *datum,
									RowError *error);

/*
 * The slice of these bytes for a field that is no bytea: JSON if its type
 * takes JSON, else a text.  False if they are not that; *error says why.
 */
extern bool row_raw_slice(const RowField *field, const char *data,
						  size_t bytes, JsonSlice *slice, RowError *error);

#endif							/* TRACKING_ROW_ROW_RAW_H */
