/*
 * row_field.h
 *	  A wanted column, and the row that its value is put into: a matter of the
 *	  row room only.
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
 * Note that the row cannot be made.  Only the first failure is kept; column is
 * NULL if it concerns the record as a whole.
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
