/*
 * row_json_write.h
 *	  Writes rows as JSON objects: a matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_JSON_WRITE_H
#define TRACKING_ROW_ROW_JSON_WRITE_H

#include "postgres.h"

#include "row/row_format.h"

/* Operations of RowFormatOps. */
extern RowWriter *row_json_open_writer(const RowFormatOps *format,
									   const RowSpec *spec, TupleDesc tupdesc,
									   int *settings);
extern bool row_json_write(const RowWriter *writer, const RowValues *row,
						   RowEncoded *out);

#endif							/* TRACKING_ROW_ROW_JSON_WRITE_H */
