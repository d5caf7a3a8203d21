/*
 * row_field.h
 *	  A column that is wanted, and the row that its value becomes a part of: a
 *	  matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_FIELD_H
#define TRACKING_ROW_ROW_FIELD_H

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

/* A row being made. */
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

#endif							/* TRACKING_ROW_ROW_FIELD_H */
