/*
 * row_decode.c
 *	  One record to the values of a row.
 *
 * A row is made in two goes.  First every field's text is found, and what can
 * be made a value without an input function is; nothing of this throws for
 * what a record holds.  Then the input functions are called for the rest, if
 * need be in a subtransaction, one for the row.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "row/row_json.h"
#include "row/row_source.h"
#include "utils/builtins.h"
#include "utils/resowner.h"

struct RowDecoder
{
	int			n_columns;
	RowField   *fields;			/* those of the payload come last */
	int			n_fields;
	int			n_metadata;		/* fields that are not of the payload */
	RowJson    *json;			/* NULL unless a field is of JSON */
	RowScratch	scratch;

	/* of the current row */
	JsonSlice  *slices;			/* by field */
	int		   *pending;		/* fields that need their input function */
	int			n_pending;
	int			n_called;		/* of these, done or failed */
};

static void
check_metadata_type(const RowField *field)
{
	bool		text = field->input.type == TEXTOID ||
		(field->input.type == VARCHAROID && field->input.typmod < 0);

	if (field->metadata == ROW_META_DECODE_ERROR && !text)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("column \"%s\" with metadata \"decode_error\" is of type %s",
						field->name, format_type_be(field->input.type)),
				 errhint("Make it a column of type text.")));
	if (field->input.takes_json && field->metadata != ROW_META_DATA)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("column \"%s\" takes metadata and is of type %s",
						field->name, format_type_be(field->input.type)),
				 errhint("Only metadata \"data\" can be read as JSON; use type text.")));
}

static void
add_field(RowDecoder *decoder, const RowSpec *spec, TupleDesc tupdesc,
		  int column)
{
	const RowColumn *source = &spec->columns[column];
	Form_pg_attribute attr = TupleDescAttr(tupdesc, column);
	RowField   *field = &decoder->fields[decoder->n_fields++];

	field->column = column;
	field->name = pstrdup(NameStr(attr->attname));
	field->metadata = source->metadata;
	field->raw = source->metadata == ROW_META_DATA ||
		(source->metadata == ROW_META_NONE && spec->format == ROW_FORMAT_RAW);
	row_input_init(&field->input, attr->atttypid, attr->atttypmod);

	if (source->metadata != ROW_META_NONE)
		check_metadata_type(field);
	else if (!field->raw)
	{
		if (decoder->json == NULL)
			decoder->json = row_json_open(spec->n_columns);
		if (source->path != NULL)
			row_json_add_path(decoder->json, source->path, source->n_path);
		else
			row_json_add_name(decoder->json, field->name);
	}
}

static void
check_raw_columns(const RowSpec *spec, TupleDesc tupdesc)
{
	int			first = -1;
	int			i;

	for (i = 0; i < spec->n_columns; i++)
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

RowDecoder *
row_decoder_open(const RowSpec *spec, TupleDesc tupdesc,
				 const Bitmapset *wanted)
{
	RowDecoder *decoder = palloc0(sizeof(RowDecoder));
	bool		all_payload = false;
	int			i;

	if (spec->format == ROW_FORMAT_RAW)
		check_raw_columns(spec, tupdesc);

	decoder->n_columns = spec->n_columns;
	decoder->fields = palloc(spec->n_columns * sizeof(RowField));
	decoder->slices = palloc(spec->n_columns * sizeof(JsonSlice));
	decoder->pending = palloc(spec->n_columns * sizeof(int));
	row_scratch_init(&decoder->scratch);

	for (i = 0; i < spec->n_columns; i++)
	{
		const RowColumn *source = &spec->columns[i];

		if (source->dropped || source->metadata == ROW_META_NONE ||
			!bms_is_member(i + 1, wanted))
			continue;
		add_field(decoder, spec, tupdesc, i);

		/* whether a record can be decoded is told by decoding it */
		if (source->metadata == ROW_META_DECODE_ERROR)
			all_payload = true;
	}
	decoder->n_metadata = decoder->n_fields;
	for (i = 0; i < spec->n_columns; i++)
	{
		const RowColumn *source = &spec->columns[i];

		if (!source->dropped && source->metadata == ROW_META_NONE &&
			(all_payload || bms_is_member(i + 1, wanted)))
			add_field(decoder, spec, tupdesc, i);
	}
	return decoder;
}

/*
 * The first failure of a row is the one that is told; a column's name goes
 * with it unless it is about the record as a whole.
 */
static void
keep_error(RowResult *result, RowError *error, const char *column)
{
	if (!result->failed)
	{
		*result->error = *error;
		result->error->column = column;
	}
	result->failed = true;
}

/* Convert one field from its slice, or put it on the list of those to call. */
static void
convert_field(RowDecoder *decoder, int number, bool may_call,
			  RowResult *result)
{
	const RowField *field = &decoder->fields[number];
	RowError	error;

	if (decoder->slices[number].type == JSON_TOKEN_NULL)
		return;
	switch (row_input_value(&field->input, &decoder->scratch,
							&decoder->slices[number], may_call,
							&result->values[field->column], &error))
	{
		case ROW_INPUT_DONE:
			result->isnull[field->column] = false;
			break;
		case ROW_INPUT_BAD:
			keep_error(result, &error, field->name);
			break;
		case ROW_INPUT_CALL:
			decoder->pending[decoder->n_pending++] = number;
			break;
	}
}

static void
decode_metadata(RowDecoder *decoder, const StreamRecord *record,
				RowResult *result)
{
	RowError	error;
	int			i;

	for (i = 0; i < decoder->n_metadata; i++)
	{
		if (row_source_find(&decoder->fields[i], &decoder->scratch, record,
							&decoder->slices[i], result, &error))
			convert_field(decoder, i, false, result);
		else
			keep_error(result, &error, decoder->fields[i].name);
	}
}

static void
decode_payload(RowDecoder *decoder, const StreamRecord *record,
			   RowResult *result)
{
	const char *data;
	size_t		len;
	RowError	error;
	bool		found = true;
	int			i;

	if (decoder->json != NULL)
		found = row_source_payload(record, &data, &len, &error) &&
			row_json_read(decoder->json, data, len,
						  decoder->slices + decoder->n_metadata, &error);
	else if (decoder->n_fields > decoder->n_metadata)
		found = row_source_find(&decoder->fields[decoder->n_metadata],
								&decoder->scratch, record,
								&decoder->slices[decoder->n_metadata],
								result, &error);
	if (!found)
		keep_error(result, &error, NULL);

	for (i = decoder->n_metadata; i < decoder->n_fields && !result->failed;
		 i++)
		convert_field(decoder, i, false, result);
}

/*
 * Is there a field left to call?  Those of metadata come first; once
 * something has failed, those of the payload are going to be null anyway.
 */
static bool
more_pending(const RowDecoder *decoder, const RowResult *result)
{
	return decoder->n_called < decoder->n_pending &&
		(!result->failed ||
		 decoder->pending[decoder->n_called] < decoder->n_metadata);
}

static const RowField *
called_field(const RowDecoder *decoder)
{
	return &decoder->fields[decoder->pending[decoder->n_called - 1]];
}

static void
name_column(void *decoder)
{
	errcontext("column \"%s\"", called_field(decoder)->name);
}

/* n_called is moved beforehand: it must be right also if a function throws. */
static void
call_pending(RowDecoder *decoder, RowResult *result)
{
	ErrorContextCallback context;

	context.callback = name_column;
	context.arg = decoder;
	context.previous = error_context_stack;
	error_context_stack = &context;
	while (more_pending(decoder, result))
		convert_field(decoder, decoder->pending[decoder->n_called++], true,
					  result);
	error_context_stack = context.previous;
}

/* Can the record be to blame for such an error? */
static bool
is_data_error(int sqlstate)
{
	switch (ERRCODE_TO_CATEGORY(sqlstate))
	{
		case ERRCODE_DATA_EXCEPTION:
		case ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION:	/* a domain's check */
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
		case ERRCODE_FEATURE_NOT_SUPPORTED:
		case ERRCODE_PLPGSQL_ERROR: /* raised by a function of a check */
			return true;
		default:
			return sqlstate == ERRCODE_DATATYPE_MISMATCH;
	}
}

/* The same where a function may throw: what it throws fails the field. */
static void
call_pending_guarded(RowDecoder *decoder, RowResult *result)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		call_pending(decoder, result);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *edata;
		RowError	error;

		MemoryContextSwitchTo(cxt);
		edata = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(cxt);
		CurrentResourceOwner = owner;
		if (!is_data_error(edata->sqlerrcode))
			ReThrowError(edata);
		row_error_copy(&error, edata);
		FreeErrorData(edata);
		keep_error(result, &error, called_field(decoder)->name);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(cxt);
	CurrentResourceOwner = owner;
}

/* A parallel worker cannot have subtransactions. */
static bool
needs_guard(const RowDecoder *decoder)
{
	int			i;

	for (i = decoder->n_called; i < decoder->n_pending; i++)
	{
		if (decoder->fields[decoder->pending[i]].input.throws)
			return !IsInParallelMode();
	}
	return false;
}

static void
set_decode_error(const RowDecoder *decoder, RowResult *result)
{
	const RowError *error = result->error;
	const char *reason = error->message;
	int			i;

	if (error->column != NULL)
		reason = psprintf("column \"%s\": %s", error->column, reason);
	for (i = 0; i < decoder->n_metadata; i++)
	{
		const RowField *field = &decoder->fields[i];

		if (field->metadata != ROW_META_DECODE_ERROR)
			continue;
		result->values[field->column] = CStringGetTextDatum(reason);
		result->isnull[field->column] = false;
	}
}

bool
row_decode(RowDecoder *decoder, const StreamRecord *record, bool soft,
		   Datum *values, bool *isnull, RowError *error)
{
	RowResult	result = {values, isnull, error, false};
	int			i;

	memset(values, 0, decoder->n_columns * sizeof(Datum));
	memset(isnull, true, decoder->n_columns * sizeof(bool));
	row_scratch_reset(&decoder->scratch);
	decoder->n_pending = 0;
	decoder->n_called = 0;

	decode_metadata(decoder, record, &result);
	if (!result.failed)
		decode_payload(decoder, record, &result);
	while (more_pending(decoder, &result))
	{
		if (soft && needs_guard(decoder))
			call_pending_guarded(decoder, &result);
		else
			call_pending(decoder, &result);
	}
	if (!result.failed)
		return true;

	for (i = decoder->n_metadata; i < decoder->n_fields; i++)
		isnull[decoder->fields[i].column] = true;
	set_decode_error(decoder, &result);
	return false;
}
