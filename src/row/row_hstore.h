/*
 * row_hstore.h
 *	  A JSON object to the extension hstore's type: a matter of the row room
 *	  only.
 */
#ifndef TRACKING_ROW_ROW_HSTORE_H
#define TRACKING_ROW_ROW_HSTORE_H

#include "postgres.h"

#include "row/row_value.h"

extern bool row_hstore_is(Oid type);

/* An object's, as row_input_value() does. */
extern RowInputResult row_hstore_value(const RowInput *input,
									   RowScratch *scratch,
									   const JsonSlice *value, bool may_call,
									   Datum *datum, RowError *error);

#endif							/* TRACKING_ROW_ROW_HSTORE_H */
