/*
 * row_decoder.h
 *	  The parts of a decoder: a matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_DECODER_H
#define TRACKING_ROW_ROW_DECODER_H

#include "postgres.h"

#include "row/payload.h"
#include "row/row_format.h"

/* A row of a record beyond the first, kept until it is asked for. */
typedef struct RowKept
{
	struct RowKept *next;
	int			times;			/* that it is to be returned */
	bool	   *isnull;
	Datum		values[FLEXIBLE_ARRAY_MEMBER];
} RowKept;

struct RowDecoder
{
	int			n_columns;
	RowField   *fields;			/* those of metadata come first */
	int			n_fields;
	int			n_metadata;		/* fields of metadata */
	Payload    *payload;
	const RowFormatOps *format;
	RowReader  *reader;			/* of the format */
	bool		one_document;
	bool		trusts;
	bool		wants_json_data;	/* a column takes metadata "data" as JSON */
	RowEmptyPolicy empty;
	RowMemory	memory;
	RowScratch	scratch;

	/* of the current record */
	const StreamRecord *record; /* while it is decoded for the first time */
	bool		is_empty;		/* it is empty, which makes it no row */
	MemoryContext record_cxt;	/* what its rows point to */
	RowKept    *kept;			/* in their order */
	RowKept   **kept_end;

	/*
	 * Rows behind the kept ones are decoded once to see that they can be, and
	 * again when they are asked for; the reader remembers the place before
	 * the next such row.
	 */
	MemoryContext row_cxt;		/* what the current one of them points to */
	RowKept    *model;			/* holds their metadata; NULL: no such rows */
	int			n_again;		/* such rows that are left */
	size_t		payload_bytes;

	/* of the current row */
	JsonSlice  *slices;			/* values in the payload, by field of the
								 * payload */
	int		   *pending;		/* fields that need their input function */
	int			n_pending;
	int			n_called;		/* of these, already called */
};

/* in row_decode.c */

/*
 * Decode the next row once more, in the current context; input functions may
 * throw.
 */
extern void row_decode_again(RowDecoder *decoder, RowResult *result);

/* in row_documents.c */

/*
 * Begin to read the record's payload, and find the fields of its first row.
 * Returns ROW_FOUND, ROW_FOUND_LAST or ROW_FOUND_NONE; fails result if the
 * payload cannot be read.
 */
extern RowFound row_documents_first(RowDecoder *decoder,
									const StreamRecord *record,
									RowResult *result);

/* Likewise find the fields of the next row, after n_rows rows. */
extern RowFound row_documents_next(RowDecoder *decoder, int n_rows,
								   RowResult *result);

/*
 * Count the rows of a payload of which no column is wanted.  May fail result.
 */
extern int	row_documents_count(RowDecoder *decoder,
								const StreamRecord *record,
								RowResult *result);

/*
 * Is a record empty whose metadata could not be made, so that it gives no row
 * rather than an error?  Overwrites the values of result.
 */
extern bool row_documents_none(RowDecoder *decoder, const StreamRecord *record,
							   const RowResult *result);

/* in row_rows.c */

/* Do the record's rows take more memory than may be kept? */
static inline bool
row_rows_are_many(const RowDecoder *decoder)
{
	return decoder->model != NULL ||
		row_memory_of(decoder->record_cxt) > row_memory_kept(&decoder->memory);
}

/*
 * If so, to be called before the next row is looked for: that row, and those
 * behind it, are not kept.
 */
extern void row_rows_before(RowDecoder *decoder, const RowResult *first);

/* The next row was found: let result point to it. */
extern void row_rows_next(RowDecoder *decoder, const RowResult *first,
						  RowResult *result);

/* Add a row to the kept ones, with the metadata of the first. */
extern RowKept *row_rows_keep(RowDecoder *decoder, const RowResult *first);

/* Forget all rows beyond the first. */
extern void row_rows_forget(RowDecoder *decoder);

#endif							/* TRACKING_ROW_ROW_DECODER_H */
