/*
 * row_nested.h
 *	  Values that are made of others: arrays, composites, domains, hstore, JSON
 *	  in a text.  A matter of the row room only.
 *
 * They become what jsonb_populate_record() makes of them, except that an array
 * of json or jsonb has one dimension, as each of its elements may be an array.
 */
#ifndef TRACKING_ROW_ROW_NESTED_H
#define TRACKING_ROW_ROW_NESTED_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "row/row_value.h"

/* A column of a composite type. */
typedef struct RowAttribute
{
	const char *key;			/* UTF-8 */
	size_t		len;
	int			number;			/* its attnum in the type - 1 */
	RowInput	input;
} RowAttribute;

struct RowComposite
{
	TupleDesc	tupdesc;
	int			n_attributes;	/* without dropped columns */
	RowAttribute *attributes;	/* sorted by key */
	JsonSlice  *slices;			/* by attribute */
	Datum	   *values;			/* by number */
	bool	   *isnull;
};

/* The order of attributes, by key; for qsort(). */
extern int	row_nested_compare(const void *a, const void *b);

/* As row_input_value(), for kinds from ROW_INPUT_ARRAY on. */
extern RowInputResult row_nested_value(const RowInput *input,
									   RowScratch *scratch,
									   const JsonSlice *value, bool may_call,
									   Datum *datum, RowError *error);

#endif							/* TRACKING_ROW_ROW_NESTED_H */
