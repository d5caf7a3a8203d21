/*
 * row_source.h
 *	  Where the text of a column's value is: a matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_SOURCE_H
#define TRACKING_ROW_ROW_SOURCE_H

#include "postgres.h"

#include "row/row.h"
#include "row/row_value.h"

/* A column that is wanted. */
typedef struct RowField
{
	int			column;			/* attnum - 1 */
	const char *name;
	RowMetadata metadata;
	RowInput	input;
} RowField;

/* What the steps of one row hand on. */
typedef struct RowResult
{
	Datum	   *values;
	bool	   *isnull;
	RowError   *error;
	bool		failed;			/* *error is filled */
} RowResult;

/*
 * The row cannot be made.  The first failure is the one that is told; a
 * column's name goes with it unless it is about the record as a whole.
 */
static inline void
row_result_fail(RowResult *result, const RowError *error, const char *column)
{
	if (!result->failed)
	{
		*result->error = *error;
		result->error->column = column;
	}
	result->failed = true;
}

/*
 * The payload as it came; false if the service sent something that is none.
 */
extern bool row_source_data(const StreamRecord *record, const char **data,
							size_t *bytes, RowError *error);

/*
 * Find a field that takes metadata: *slice becomes its text, or
 * JSON_TOKEN_NULL if there is none or its value was made right away.  False if
 * the record is refused; *error says why.
 */
extern bool row_source_find(const RowField *field, RowScratch *scratch,
							const StreamRecord *record, JsonSlice *slice,
							RowResult *result, RowError *error);

/* The same of a field that takes these bytes as they are. */
extern bool row_source_raw(const RowField *field, const RowMemory *memory,
						   const char *data, size_t bytes, JsonSlice *slice,
						   RowResult *result, RowError *error);

#endif							/* TRACKING_ROW_ROW_SOURCE_H */
