/*
 * row_metadata.h
 *	  What the service, or whoever reads, says of a record, as values: a matter
 *	  of the row room only.
 */
#ifndef TRACKING_ROW_ROW_METADATA_H
#define TRACKING_ROW_ROW_METADATA_H

#include "postgres.h"

#include "row/row_field.h"

/* Is there none of this metadata? */
extern bool row_metadata_is_null(RowMetadata metadata,
								 const KinesisRecord *record);

/* The value of a field whose metadata there is, made as row_input_value() does. */
extern RowInputResult row_metadata_value(const RowField *field,
										 RowScratch *scratch,
										 const StreamRecord *record,
										 bool may_call, Datum *datum,
										 RowError *error);

#endif							/* TRACKING_ROW_ROW_METADATA_H */
