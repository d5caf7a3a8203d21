/*
 * row_raw.h
 *	  Payloads that are a value as a whole: a matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_RAW_H
#define TRACKING_ROW_ROW_RAW_H

#include "postgres.h"

#include "row/row_field.h"

/*
 * The payload as it came; false if the service sent something that is none.
 */
extern bool row_raw_data(const StreamRecord *record, const char **data,
						 size_t *bytes, RowError *error);

/* Is it what a text can be?  If not, *error says why. */
extern bool row_raw_is_text(const char *data, size_t bytes, RowError *error);

/* A bytea of the same bytes. */
extern RowInputResult row_raw_bytea(const RowMemory *memory, const char *data,
									size_t bytes, Datum *datum,
									RowError *error);

/*
 * The slice of bytes that a field takes otherwise: as JSON, if its type is that,
 * or else as a text.  False if they are none; *error says why.
 */
extern bool row_raw_slice(const RowField *field, const char *data,
						  size_t bytes, JsonSlice *slice, RowError *error);

#endif							/* TRACKING_ROW_ROW_RAW_H */
