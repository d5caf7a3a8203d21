/*
 * row_hstore.h
 *	  Makes a value of extension hstore's type of a JSON object: a matter of
 *	  the row room only.
 */
#ifndef TRACKING_ROW_ROW_HSTORE_H
#define TRACKING_ROW_ROW_HSTORE_H

#include "postgres.h"

#include "row/row_value.h"

/* Is this extension hstore's type? */
extern bool row_hstore_is(Oid type);

/* Make an hstore of a JSON object; as row_input_value(). */
extern RowInputResult row_hstore_value(const RowInput *input,
									   RowScratch *scratch,
									   const JsonSlice *value, bool may_call,
									   Datum *datum, RowError *error);

#endif							/* TRACKING_ROW_ROW_HSTORE_H */
