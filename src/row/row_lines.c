/*
 * row_lines.c
 *	  Payloads of lines, whose fields are texts in the order of a table's
 *	  columns.
 *
 * A line ends with a line break, or with the payload.  It has as many fields
 * as the table says, no fewer and no more: a missing field would shift those
 * that follow.
 */
#include "postgres.h"

#include "row/row_lines.h"
#include "row/row_output.h"
#include "row/row_raw.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

/* In takers: no field of the reader takes this position. */
#define NOBODY (-1)

typedef struct Place
{
	const char *rest;			/* of the payload, from the next line on */
	int			n_lines;		/* read so far */
} Place;

typedef struct RowLines
{
	const LineRules *rules;
	int			n_positions;	/* fields that a line has; 0: any number */
	int		   *takers;			/* by position: the number of its slice, or
								 * NOBODY */
	JsonSlice  *slices;
	RowScratch *scratch;

	/* of the current record */
	const char *end;
	Place		at;
	Place		remembered;
} RowLines;

typedef struct LineWriter
{
	const LineRules *rules;
	int			n_positions;
	RowOutput **outputs;		/* by position; NULL: no column has it */
} LineWriter;

bool
row_header_parse(const char *text, List **names)
{
	ListCell   *cell;

	if (!SplitIdentifierString(pstrdup(text), ',', names) || *names == NIL)
		return false;
	foreach(cell, *names)
	{
		for (int i = 0; i < foreach_current_index(cell); i++)
		{
			if (strcmp(list_nth(*names, i), lfirst(cell)) == 0)
				return false;
		}
	}
	return true;
}

/* Raise an error for a path: fields have a position in a line instead. */
static void
check_columns(const RowSpec *spec, TupleDesc tupdesc)
{
	for (int i = 0; i < spec->n_columns; i++)
	{
		const RowColumn *column = &spec->columns[i];

		if (!column->dropped && column->path != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("column \"%s\" has option \"path\", which a table of format \"%s\" does not take",
							NameStr(TupleDescAttr(tupdesc, i)->attname),
							row_format_names[spec->format]),
					 errhint("Option \"header\" of the table names the fields of a line.")));
	}
}

/* ----------------------------------------------------------------
 * Reading
 * ---------------------------------------------------------------- */

RowReader *
row_lines_open(const RowReaderOptions *options)
{
	const RowSpec *spec = options->spec;
	RowLines   *lines = palloc0(sizeof(RowLines));

	check_columns(spec, options->tupdesc);
	lines->rules = options->format->lines;
	lines->slices = options->slices;
	lines->scratch = options->scratch;
	lines->n_positions = spec->n_positions;
	lines->takers = palloc(Max(spec->n_positions, 1) * sizeof(int));
	for (int i = 0; i < spec->n_positions; i++)
		lines->takers[i] = NOBODY;
	for (int i = 0; i < options->n_fields; i++)
		lines->takers[spec->columns[options->fields[i].column].position] = i;
	return (RowReader *) lines;
}

/* Make a slice of a field's text, which lives until the row is converted. */
static void
take(const RowLines *lines, const LineField *field, JsonSlice *slice)
{
	char	   *room;

	slice->type = field->is_null ? JSON_TOKEN_NULL : JSON_TOKEN_STRING;
	slice->escaped = false;
	slice->start = field->text;
	slice->len = field->len;
	if (field->is_null || !field->is_noted)
		return;
	lines->scratch->cxt_used = true;
	room = MemoryContextAllocHuge(lines->scratch->cxt,
								  field->end - field->start + 1);
	slice->len = lines->rules->unnote(field, room);
	slice->start = room;
}

static RowFound
refuse_line(const RowLines *lines, const char *reason, RowError *error)
{
	row_error_set(error, ERRCODE_BAD_COPY_FILE_FORMAT, "line %d of the record %s",
				  lines->at.n_lines, reason);
	return ROW_FOUND_BAD;
}

static RowFound
refuse_count(const RowLines *lines, int n_fields, RowError *error)
{
	row_error_set(error, ERRCODE_BAD_COPY_FILE_FORMAT,
				  "line %d of the record has %d field%s, where the table has %d",
				  lines->at.n_lines, n_fields, n_fields == 1 ? "" : "s",
				  lines->n_positions);
	return ROW_FOUND_BAD;
}

/* What follows the line if a field ends at p that is its last; else NULL. */
static const char *
behind_line(const RowLines *lines, const char *p)
{
	if (p == lines->end)
		return p;
	if (*p == '\n')
		return p + 1;
	if (*p == '\r' && (p + 1 == lines->end || p[1] == '\n'))
		return Min(p + 2, lines->end);
	return NULL;
}

RowFound
row_lines_next(RowReader *reader, RowError *error)
{
	RowLines   *lines = (RowLines *) reader;
	LineField	field = {.start = lines->at.rest};
	const char *reason;
	const char *rest;
	int			n = 0;

	if (lines->at.rest == lines->end)
		return ROW_FOUND_NONE;
	lines->at.n_lines++;
	for (;; n++)
	{
		field.is_null = field.is_noted = false;
		if (!lines->rules->find(&field, lines->end, &reason))
			return refuse_line(lines, reason, error);
		if (n < lines->n_positions && lines->takers[n] != NOBODY)
			take(lines, &field, &lines->slices[lines->takers[n]]);
		rest = behind_line(lines, field.end);
		if (rest != NULL)
			break;
		if (*field.end != lines->rules->separator)
			return refuse_line(lines, "has a carriage return that is not part of its end",
							   error);
		field.start = field.end + 1;
	}
	if (n + 1 != lines->n_positions && lines->n_positions > 0)
		return refuse_count(lines, n + 1, error);
	lines->at.rest = rest;
	return rest == lines->end ? ROW_FOUND_LAST : ROW_FOUND;
}

RowFound
row_lines_begin(RowReader *reader, const char *data, size_t bytes,
				RowResult *result, RowError *error)
{
	RowLines   *lines = (RowLines *) reader;

	(void) result;
	if (!row_raw_is_text(data, bytes, error))
		return ROW_FOUND_BAD;
	lines->end = data + bytes;
	lines->at.rest = data;
	lines->at.n_lines = 0;
	return row_lines_next(reader, error);
}

void
row_lines_remember(RowReader *reader)
{
	RowLines   *lines = (RowLines *) reader;

	lines->remembered = lines->at;
}

void
row_lines_go_back(RowReader *reader)
{
	RowLines   *lines = (RowLines *) reader;

	lines->at = lines->remembered;
}

/* ----------------------------------------------------------------
 * Writing
 * ---------------------------------------------------------------- */

RowWriter *
row_lines_open_writer(const RowFormatOps *format, const RowSpec *spec,
					  TupleDesc tupdesc, int *settings)
{
	LineWriter *writer = palloc(sizeof(LineWriter));

	check_columns(spec, tupdesc);
	writer->rules = format->lines;
	writer->n_positions = spec->n_positions;
	writer->outputs = palloc0(Max(spec->n_positions, 1) * sizeof(RowOutput *));
	for (int i = 0; i < spec->n_columns; i++)
	{
		const RowColumn *column = &spec->columns[i];
		RowOutput  *output;

		if (column->dropped || column->metadata != ROW_META_NONE)
			continue;
		output = row_output_make(spec, tupdesc, i);
		row_output_as_text(output, settings);
		writer->outputs[column->position] = output;
	}
	return (RowWriter *) writer;
}

bool
row_lines_write(const RowWriter *writer, const RowValues *row, RowEncoded *out)
{
	const LineWriter *lines = (const LineWriter *) writer;
	StringInfoData line;
	size_t		len;

	if (lines->n_positions == 0)
		return false;
	initStringInfo(&line);
	for (int i = 0; i < lines->n_positions; i++)
	{
		const RowOutput *output = lines->outputs[i];

		if (i > 0)
			appendStringInfoChar(&line, lines->rules->separator);
		if (output == NULL || row->isnull[output->column])
			appendStringInfoString(&line, lines->rules->null);
		else
			lines->rules->append(&line, row_output_text(output, row, &len),
								 lines->n_positions == 1);
	}
	appendStringInfoChar(&line, '\n');
	out->data = line.data;
	out->data_bytes = line.len;
	return true;
}
