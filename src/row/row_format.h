/*
 * row_format.h
 *	  The interface of payload formats: a matter of the row room only.
 *
 * A reader finds the rows of a record, and where in its payload the values of
 * their columns are; how a value is converted depends on its type.  A writer
 * makes a payload of a row.  A new format needs its operations and a line in
 * row_format_list.h.
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
	ROW_FOUND_NONE,				/* no row, or no further row */
	ROW_FOUND_EMPTY,			/* the record is empty */
	ROW_FOUND_BAD				/* *error says why it is refused */
} RowFound;

typedef struct RowReader RowReader;
typedef struct RowWriter RowWriter;
typedef struct RowFormatOps RowFormatOps;

/* What a reader is opened with. */
typedef struct RowReaderOptions
{
	const RowFormatOps *format;
	const RowSpec *spec;
	TupleDesc	tupdesc;
	const RowField *fields;		/* wanted columns of the payload; the array
								 * stays where it is */
	int			n_fields;
	JsonSlice  *slices;			/* by field: the part of the payload that it
								 * takes, or type JSON_TOKEN_NULL if there is
								 * none; the reader sets them for each row */
	RowScratch *scratch;		/* of the decoder, which converts the slices */
} RowReaderOptions;

/* The values of a row to be written. */
typedef struct RowValues
{
	const Datum *values;
	const bool *isnull;
} RowValues;

struct RowFormatOps
{
	const char *document;		/* what messages call the part of a payload
								 * that makes a row */
	RowEmptyPolicy empty;		/* of empty records, unless the table says
								 * otherwise */
	bool		is_json;		/* values are JSON: columns may have a path
								 * and a notation */
	const struct LineRules *lines;	/* of a format of lines, see row_lines.h:
									 * values are texts, columns have a
									 * position; else NULL */
	bool		may_begin_with_x;	/* an uncompressed payload, as those of
									 * zlib do */

	/*
	 * Make a reader, in the current context.  Raises an error if the format
	 * does not allow the table's columns.
	 */
	RowReader  *(*open) (const RowReaderOptions *options);

	/*
	 * Begin a payload, which stays where it is while its rows are read, and
	 * find its first row.  bytes is 0 only if the policy is ROW_EMPTY_VALUE.
	 * A reader may put a value into result itself, instead of a slice.
	 */
	RowFound	(*begin) (RowReader *reader, const char *data, size_t bytes,
						  RowResult *result, RowError *error);

	/*
	 * next() finds the next row, remember() notes the place before it, and
	 * go_back() returns there.  All three are NULL if a payload always makes
	 * one row.
	 */
	RowFound	(*next) (RowReader *reader, RowError *error);
	void		(*remember) (RowReader *reader);
	void		(*go_back) (RowReader *reader);

	/*
	 * Make a writer, in the current context, and add to *settings those that
	 * text_settings_begin() must make before a row is written.  NULL: the
	 * payload is the value of one column.
	 */
	RowWriter  *(*open_writer) (const RowFormatOps *format,
								const RowSpec *spec, TupleDesc tupdesc,
								int *settings);

	/*
	 * Fill data and data_bytes of *out, in UTF-8; false if there is nothing
	 * to write.
	 */
	bool		(*write) (const RowWriter *writer, const RowValues *row,
						  RowEncoded *out);
};

/* By RowFormat */
extern const RowFormatOps *const row_formats[ROW_N_FORMATS];

#define ROW_FORMAT(id, name, ops) extern const RowFormatOps ops;
#include "row/row_format_list.h"
#undef ROW_FORMAT

#endif							/* TRACKING_ROW_ROW_FORMAT_H */
