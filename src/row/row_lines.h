/*
 * row_lines.h
 *	  Payloads of lines, whose fields are texts in the order of a table's
 *	  columns: a matter of the row room only.
 *
 * The formats of lines differ in their LineRules only.
 */
#ifndef TRACKING_ROW_ROW_LINES_H
#define TRACKING_ROW_ROW_LINES_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "row/row_format.h"

/* A field as it stands in a line. */
typedef struct LineField
{
	const char *start;
	const char *end;			/* at a separator, a line break, or the
								 * payload's end */
	const char *text;			/* its value, unless is_noted */
	size_t		len;
	bool		is_null;
	bool		is_noted;		/* it has quotes or escapes, which unnote()
								 * resolves */
} LineField;

typedef struct LineRules
{
	char		separator;

	/*
	 * Fill the field that begins at field->start, in a payload that ends at
	 * end; false if it is malformed, and *reason says why.
	 */
	bool		(*find) (LineField *field, const char *end,
						 const char **reason);

	/*
	 * Write the value of a field that is_noted to room, which has as many
	 * bytes as the field; returns the value's length.
	 */
	size_t		(*unnote) (const LineField *field, char *room);

	/* Append a value; only: the line has no other field. */
	void		(*append) (StringInfo line, const char *text, bool only);
	const char *null;			/* how a null is written */
} LineRules;

/* What formats of lines have in common, all but their rules. */
#define ROW_LINES_OPS \
	.document = "line", \
	.empty = ROW_EMPTY_SKIP, \
	.may_begin_with_x = true, \
	.open = row_lines_open, \
	.begin = row_lines_begin, \
	.next = row_lines_next, \
	.remember = row_lines_remember, \
	.go_back = row_lines_go_back, \
	.open_writer = row_lines_open_writer, \
	.write = row_lines_write

/* In row_lines.c: operations of RowFormatOps. */
extern RowReader *row_lines_open(const RowReaderOptions *options);
extern RowFound row_lines_begin(RowReader *reader, const char *data,
								size_t bytes, RowResult *result,
								RowError *error);
extern RowFound row_lines_next(RowReader *reader, RowError *error);
extern void row_lines_remember(RowReader *reader);
extern void row_lines_go_back(RowReader *reader);
extern RowWriter *row_lines_open_writer(const RowFormatOps *format,
										const RowSpec *spec,
										TupleDesc tupdesc, int *settings);
extern bool row_lines_write(const RowWriter *writer, const RowValues *row,
							RowEncoded *out);

#endif							/* TRACKING_ROW_ROW_LINES_H */
