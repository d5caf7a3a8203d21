/*
 * row_decoder.h
 *	  What a decoder is made of: a matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_DECODER_H
#define TRACKING_ROW_ROW_DECODER_H

#include "postgres.h"

#include "row/payload.h"
#include "row/row_format.h"

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
	const RowFormatOps *format;
	RowReader  *reader;			/* by format */
	bool		one_document;
	bool		trusts;
	bool		wants_json_data;	/* metadata "data" as JSON */
	RowEmptyPolicy empty;
	RowMemory	memory;
	RowScratch	scratch;

	/* of the current record */
	const StreamRecord *record; /* while it is decoded for the first time */
	bool		is_empty;		/* nothing is in it, which is no row */
	MemoryContext record_cxt;	/* what its rows hold */
	RowKept    *kept;			/* in their order */
	RowKept   **kept_end;

	/*
	 * Rows behind these are decoded to see that they can be, and again when they
	 * are asked for; the reader remembers the place before the next of them.
	 */
	MemoryContext row_cxt;		/* what one of them holds */
	RowKept    *model;			/* with their metadata; NULL: there are none */
	int			n_again;
	size_t		payload_bytes;

	/* of the current row */
	JsonSlice  *slices;			/* by field of the payload */
	int		   *pending;		/* fields that need their input function */
	int			n_pending;
	int			n_called;		/* of these, done or failed */
};

/* in row_decode.c */

/* Decode the next row, in the current context; functions may throw. */
extern void row_decode_again(RowDecoder *decoder, RowResult *result);

/* in row_documents.c */

/*
 * Begin the payload of the record, and find the fields of its first row:
 * ROW_FOUND, ROW_FOUND_LAST or ROW_FOUND_NONE.  Fails result if it cannot be
 * read.
 */
extern RowFound row_documents_first(RowDecoder *decoder,
									const StreamRecord *record,
									RowResult *result);

/* The same of one more row, behind n_rows. */
extern RowFound row_documents_next(RowDecoder *decoder, int n_rows,
								   RowResult *result);

/* How many rows does a payload make that no column wants?  May fail result. */
extern int	row_documents_count(RowDecoder *decoder,
								const StreamRecord *record,
								RowResult *result);

/*
 * Is nothing in a record whose metadata has failed, so that it is none?  Uses
 * values of result, which are of no use then.
 */
extern bool row_documents_none(RowDecoder *decoder, const StreamRecord *record,
							   const RowResult *result);

/* in row_rows.c */

/* Are there more rows than there is memory for? */
static inline bool
row_rows_are_many(const RowDecoder *decoder)
{
	return decoder->model != NULL ||
		row_memory_of(decoder->record_cxt) > row_memory_kept(&decoder->memory);
}

/*
 * If so, before the next one is looked for: this one, and those behind it, are
 * not kept.
 */
extern void row_rows_before(RowDecoder *decoder, const RowResult *first);

/* It was found: turn result to it. */
extern void row_rows_next(RowDecoder *decoder, const RowResult *first,
						  RowResult *result);

/* One more row that is kept, with the metadata of the first. */
extern RowKept *row_rows_keep(RowDecoder *decoder, const RowResult *first);

/* Forget them. */
extern void row_rows_forget(RowDecoder *decoder);

#endif							/* TRACKING_ROW_ROW_DECODER_H */
