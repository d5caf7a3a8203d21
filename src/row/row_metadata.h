/*
 * row_metadata.h
 *	  Makes values of metadata, which the service or the reader adds to a
 *	  record: a matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_METADATA_H
#define TRACKING_ROW_ROW_METADATA_H

#include "postgres.h"

#include "row/row_field.h"

/* Does the record lack this metadata? */
extern bool row_metadata_is_null(RowMetadata metadata,
								 const KinesisRecord *record);

/*
 * Make the value of a field whose metadata the record has; as
 * row_input_value().
 */
extern RowInputResult row_metadata_value(const RowField *field,
										 RowScratch *scratch,
										 const StreamRecord *record,
										 bool may_call, Datum *datum,
										 RowError *error);

#endif							/* TRACKING_ROW_ROW_METADATA_H */
