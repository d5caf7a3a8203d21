/*
 * row_decoder.h
 *	  What a decoder is made of: a matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_DECODER_H
#define TRACKING_ROW_ROW_DECODER_H

#include "postgres.h"

#include "row/payload.h"
#include "row/row_json.h"
#include "row/row_source.h"

/* Rows beyond the first of a record, until they are asked for. */
typedef struct RowKept
{
	struct RowKept *next;
	int			times;			/* rows that are like this one */
	bool	   *isnull;
	Datum		values[FLEXIBLE_ARRAY_MEMBER];
} RowKept;

struct RowDecoder
{
	int			n_columns;
	RowField   *fields;			/* those of the payload come last */
	int			n_fields;
	int			n_metadata;		/* fields that are not of the payload */
	Payload    *payload;
	RowJson    *json;			/* NULL: the format is not JSON */
	bool		one_document;
	RowScratch	scratch;

	/* of the current record */
	MemoryContext record_cxt;	/* what its rows hold */
	RowKept    *kept;			/* in their order */
	RowKept   **kept_end;

	/* of the current row */
	JsonSlice  *slices;			/* by field */
	int		   *pending;		/* fields that need their input function */
	int			n_pending;
	int			n_called;		/* of these, done or failed */
};

#endif							/* TRACKING_ROW_ROW_DECODER_H */
