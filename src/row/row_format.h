/*
 * row_format.h
 *	  What a format of payloads is: a matter of the row room only.
 *
 * A reader finds the rows of a record, and where in its payload the values of
 * their columns are; what becomes of a value is a matter of its type.  A
 * writer makes a payload of a row.  To add a format is to write its operations
 * and a line in row_format_list.h.
 */
#ifndef TRACKING_ROW_ROW_FORMAT_H
#define TRACKING_ROW_ROW_FORMAT_H

#include "postgres.h"

#include "row/row_field.h"

/* What a reader has found of a record. */
typedef enum RowFound
{
	ROW_FOUND,					/* a row; there may be more */
	ROW_FOUND_LAST,				/* a row, behind which there is none */
	ROW_FOUND_NONE,				/* no row, or none any more */
	ROW_FOUND_EMPTY,			/* there is nothing in the record */
	ROW_FOUND_BAD				/* *error says why it is refused */
} RowFound;

typedef struct RowReader RowReader;
typedef struct RowWriter RowWriter;

/* What a reader is made of. */
typedef struct RowReaderOptions
{
	const RowSpec *spec;
	TupleDesc	tupdesc;
	const RowField *fields;		/* that are wanted of the payload; they move no
								 * more */
	int			n_fields;
	JsonSlice  *slices;			/* by field: what of the payload it takes, of
								 * type JSON_TOKEN_NULL if there is nothing;
								 * set with each row that is found */
	RowScratch *scratch;		/* of who converts them */
} RowReaderOptions;

/* The values of a row to be written. */
typedef struct RowValues
{
	const Datum *values;
	const bool *isnull;
} RowValues;

typedef struct RowFormatOps
{
	const char *document;		/* what a row is made of, in words */
	RowEmptyPolicy empty;		/* unless the table says otherwise */
	bool		is_json;		/* values are JSON: columns may have a path, and
								 * a notation */
	bool		is_lines;		/* values are texts: columns have a position */
	bool		may_begin_with_x;	/* a payload, as those of zlib do */

	/*
	 * In the current context.  Raises an error if the columns of the table are
	 * none that the format can have.
	 */
	RowReader  *(*open) (const RowReaderOptions *options);

	/*
	 * Begin a payload, which stays where it is while its rows are read, and
	 * find its first row.  It has no bytes only where that is a value.
	 * Instead of a slice, a value may be put into result.
	 */
	RowFound	(*begin) (RowReader *reader, const char *data, size_t bytes,
						  RowResult *result, RowError *error);

	/*
	 * Find the next row.  remember() notes the place before it, and go_back()
	 * goes there.  All of them are NULL if there is one row always.
	 */
	RowFound	(*next) (RowReader *reader, RowError *error);
	void		(*remember) (RowReader *reader);
	void		(*go_back) (RowReader *reader);

	/*
	 * In the current context; adds the settings that text_settings_begin() is
	 * to be called with.  NULL: a column is the payload as a whole.
	 */
	RowWriter  *(*open_writer) (const RowSpec *spec, TupleDesc tupdesc,
								int *settings);

	/* Fill data of *out, in UTF-8; false if there is nothing to write. */
	bool		(*write) (const RowWriter *writer, const RowValues *row,
						  RowEncoded *out);
} RowFormatOps;

/* By RowFormat */
extern const RowFormatOps *const row_formats[ROW_N_FORMATS];

#define ROW_FORMAT(id, name, ops) extern const RowFormatOps ops;
#include "row/row_format_list.h"
#undef ROW_FORMAT

#endif							/* TRACKING_ROW_ROW_FORMAT_H */
