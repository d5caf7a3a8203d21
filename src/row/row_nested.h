/*
 * row_nested.h
 *	  Values that are made of others: arrays, composites, domains, hstore.  A
 *	  matter of the row room only.
 *
 * They become what jsonb_populate_record() makes of them, but that an array of
 * json or jsonb has one dimension, as each of its elements may be an array.
 */
#ifndef TRACKING_ROW_ROW_NESTED_H
#define TRACKING_ROW_ROW_NESTED_H

#include "postgres.h"

#include "row/row_value.h"

/* ROW_INPUT_FUNCTION if the type is made of no other. */
extern RowInputKind row_nested_kind(Oid type);

/* What an input of such a kind has beside its function. */
extern void row_nested_init(RowInput *input);

/* As row_input_value() does. */
extern RowInputResult row_nested_value(const RowInput *input,
									   RowScratch *scratch,
									   const JsonSlice *value, bool may_call,
									   Datum *datum, RowError *error);

#endif							/* TRACKING_ROW_ROW_NESTED_H */
