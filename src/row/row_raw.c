/*
 * row_raw.c
 *	  Format "raw": a payload is the value of one column.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "row/row_format.h"
#include "row/row_raw.h"
#include "utils/builtins.h"

typedef struct RowRaw
{
	const RowField *field;		/* NULL: its value is not wanted */
	JsonSlice  *slice;
	const RowMemory *memory;
} RowRaw;

bool
row_raw_data(const StreamRecord *record, const char **data, size_t *bytes,
			 RowError *error)
{
	if (kinesis_record_data(record->record, data, bytes))
		return true;
	row_error_set(error, ERRCODE_DATA_EXCEPTION,
				  "record did not arrive as base64");
	return false;
}

RowInputResult
row_raw_bytea(const RowMemory *memory, const char *data, size_t bytes,
			  Datum *datum, RowError *error)
{
	if (bytes >= ROW_LARGE_BYTES && !row_memory_admits(memory, bytes, 0))
	{
		row_memory_refuse(memory, error);
		return ROW_INPUT_BAD;
	}
	*datum = PointerGetDatum(cstring_to_text_with_len(data, bytes));
	return ROW_INPUT_DONE;
}

bool
row_raw_is_text(const char *data, size_t bytes, RowError *error)
{
	int			valid = pg_encoding_verifymbstr(PG_UTF8, data, bytes);

	if (valid == (int) bytes)
		return true;
	if (data[valid] == '\0')
		row_error_set(error, ERRCODE_UNTRANSLATABLE_CHARACTER,
					  "record holds a zero byte, which text cannot, at byte %d",
					  valid);
	else
		row_error_set(error, ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
					  "record is not valid UTF-8 at byte %d", valid);
	return false;
}

bool
row_raw_slice(const RowField *field, const char *data, size_t bytes,
			  JsonSlice *slice, RowError *error)
{
	const JsonSlice record = {data, bytes, JSON_TOKEN_STRING, false};

	if (field->input.takes_json)
		return row_value_scan("record", data, bytes, slice, error);
	*slice = record;
	return row_raw_is_text(data, bytes, error);
}

static void
check_columns(const RowSpec *spec, TupleDesc tupdesc)
{
	int			first = -1;

	for (int i = 0; i < spec->n_columns; i++)
	{
		if (spec->columns[i].dropped ||
			spec->columns[i].metadata != ROW_META_NONE)
			continue;
		if (first >= 0)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_COLUMN_NUMBER),
					 errmsg("columns \"%s\" and \"%s\" both take the payload of a record",
							NameStr(TupleDescAttr(tupdesc, first)->attname),
							NameStr(TupleDescAttr(tupdesc, i)->attname)),
					 errhint("A table of format \"raw\" has one column without option \"metadata\".")));
		first = i;
	}
}

static RowReader *
open_reader(const RowReaderOptions *options)
{
	RowRaw	   *raw = palloc(sizeof(RowRaw));

	check_columns(options->spec, options->tupdesc);
	raw->field = options->n_fields > 0 ? options->fields : NULL;
	raw->slice = options->slices;
	raw->memory = options->scratch->memory;
	return (RowReader *) raw;
}

static RowFound
begin(RowReader *reader, const char *data, size_t bytes, RowResult *result,
	  RowError *error)
{
	RowRaw	   *raw = (RowRaw *) reader;
	const RowField *field = raw->field;

	if (field == NULL)
		return ROW_FOUND_LAST;
	if (field->input.type != BYTEAOID)
		return row_raw_slice(field, data, bytes, raw->slice, error) ?
			ROW_FOUND_LAST : ROW_FOUND_BAD;

	raw->slice->type = JSON_TOKEN_NULL;
	if (row_raw_bytea(raw->memory, data, bytes, &result->values[field->column],
					  error) != ROW_INPUT_DONE)
		return ROW_FOUND_BAD;
	result->isnull[field->column] = false;
	return ROW_FOUND_LAST;
}

const RowFormatOps row_format_raw = {
	.document = "value",
	.empty = ROW_EMPTY_VALUE,
	.may_begin_with_x = true,
	.open = open_reader,
	.begin = begin
};
