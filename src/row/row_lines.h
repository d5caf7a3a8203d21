/*
 * row_lines.h
 *	  Payloads of lines, whose fields are texts in the order of a table's
 *	  columns: a matter of the row room only.
 *
 * What the formats of this kind differ in are their rules.
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
	const char *end;			/* a separator, a line break, or the payload's
								 * end */
	const char *text;			/* what it means, unless is_noted */
	size_t		len;
	bool		is_null;
	bool		is_noted;		/* the text is yet to be made of it */
} LineField;

typedef struct LineRules
{
	char		separator;

	/*
	 * Find where the field ends that begins at start, before the end of the
	 * payload; false if it does not, and *reason says why.
	 */
	bool		(*find) (LineField *field, const char *end,
						 const char **reason);

	/*
	 * Make the text of a field that is noted, in room of as many bytes as the
	 * field has; returns its length.
	 */
	size_t		(*unnote) (const LineField *field, char *room);

	/* Append a value; only: it is all of the line. */
	void		(*append) (StringInfo line, const char *text, bool only);
	const char *null;			/* what stands for one that is null */
} LineRules;

/* What formats of lines have in common. */
#define ROW_LINES_OPS \
	.document = "line", \
	.empty = ROW_EMPTY_SKIP, \
	.is_lines = true, \
	.may_begin_with_x = true, \
	.begin = row_lines_begin, \
	.next = row_lines_next, \
	.remember = row_lines_remember, \
	.go_back = row_lines_go_back, \
	.write = row_lines_write

/* As RowFormatOps has them, but that rules are to be given. */
extern RowReader *row_lines_open(const RowReaderOptions *options,
								 const LineRules *rules);
extern RowFound row_lines_begin(RowReader *reader, const char *data,
								size_t bytes, RowResult *result,
								RowError *error);
extern RowFound row_lines_next(RowReader *reader, RowError *error);
extern void row_lines_remember(RowReader *reader);
extern void row_lines_go_back(RowReader *reader);
extern RowWriter *row_lines_open_writer(const RowSpec *spec,
										TupleDesc tupdesc,
										const LineRules *rules,
										int *settings);
extern bool row_lines_write(const RowWriter *writer, const RowValues *row,
							RowEncoded *out);

#endif							/* TRACKING_ROW_ROW_LINES_H */
