/*
 * row_decode.c
 *	  Decodes a record into the values of its rows.
 *
 * A row is made in two steps.  First, the text of every field is found, and
 * converted if that takes no input function; no content of a record makes this
 * step throw.  Then the input functions are called for the other fields, if
 * need be in a subtransaction, one for the row.
 *
 * A record is decoded as a whole before its first row is handed out.  If it
 * holds more rows than there is memory for, those beyond are not kept, and are
 * decoded again one by one.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/blame.h"
#include "base/compat.h"
#include "miscadmin.h"
#include "row/row_decoder.h"
#include "row/row_metadata.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/*
 * Convert one field, from the record's metadata or from its slice of the
 * payload, or add it to those whose input function is pending.
 */
static inline void
convert_field(RowDecoder *decoder, int number, bool may_call,
			  RowResult *result)
{
	const RowField *field = &decoder->fields[number];
	Datum	   *datum = &result->values[field->column];
	RowInputResult made;
	RowError	error;

	if (unlikely(decoder->scratch.cxt_used) &&
		row_memory_left(&decoder->memory) == 0)
	{
		row_memory_refuse(&decoder->memory, &error);
		row_result_fail(result, &error, field->name);
		return;
	}
	made = number < decoder->n_metadata ?
		row_metadata_value(field, &decoder->scratch, decoder->record,
						   may_call, datum, &error) :
		row_input_value(&field->input, &decoder->scratch,
						&decoder->slices[number - decoder->n_metadata],
						may_call, datum, &error);
	switch (made)
	{
		case ROW_INPUT_DONE:
			result->isnull[field->column] = false;
			break;
		case ROW_INPUT_BAD:
			row_result_fail(result, &error, field->name);
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
	decoder->record = record;
	for (int i = 0; i < decoder->n_metadata; i++)
	{
		if (!row_metadata_is_null(decoder->fields[i].metadata, record->record))
			convert_field(decoder, i, false, result);
	}
}

static void
convert_payload(RowDecoder *decoder, RowResult *result)
{
	int			n_metadata = decoder->n_metadata;

	for (int i = n_metadata; i < decoder->n_fields && !result->failed; i++)
	{
		if (decoder->slices[i - n_metadata].type != JSON_TOKEN_NULL)
			convert_field(decoder, i, false, result);
	}
}

/*
 * Is there a pending field to call the function of?  Metadata come first;
 * fields of the payload are skipped once the row has failed, as they become
 * NULL.
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

/*
 * Count n_called up before each call: it must be right even if the function
 * throws.
 */
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

/*
 * Call pending functions in a subtransaction; an error that one throws fails
 * the row.
 */
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
		if (blame_of(edata->sqlerrcode) == BLAME_NO_RECORD)
			ReThrowError(edata);
		row_error_copy(&error, edata);
		FreeErrorData(edata);
		row_result_fail(result, &error, called_field(decoder)->name);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(cxt);
	CurrentResourceOwner = owner;
}

static bool
needs_guard(const RowDecoder *decoder)
{
	for (int i = decoder->n_called; i < decoder->n_pending; i++)
	{
		if (decoder->fields[decoder->pending[i]].input.throws)
			return compat_may_begin_subtransaction();
	}
	return false;
}

/* The text of column decode_error, in the record's context. */
static const char *
error_reason(const RowDecoder *decoder, const RowError *error)
{
	MemoryContext old = MemoryContextSwitchTo(decoder->record_cxt);
	const char *reason = error->message;

	if (error->column != NULL)
		reason = psprintf("column \"%s\": %s", error->column, reason);
	MemoryContextSwitchTo(old);
	return reason;
}

static void
set_decode_error(const RowDecoder *decoder, RowResult *result)
{
	const char *reason = error_reason(decoder, result->error);

	for (int i = 0; i < decoder->n_metadata; i++)
	{
		const RowField *field = &decoder->fields[i];

		if (field->metadata != ROW_META_DECODE_ERROR)
			continue;
		result->values[field->column] = CStringGetTextDatum(reason);
		result->isnull[field->column] = false;
	}
}

/* Call all pending functions, whether the row has failed or not. */
static void
call_functions(RowDecoder *decoder, bool soft, RowResult *result)
{
	while (more_pending(decoder, result))
	{
		if (soft && needs_guard(decoder))
			call_pending_guarded(decoder, result);
		else
			call_pending(decoder, result);
	}
}

static inline void
begin_row(RowDecoder *decoder)
{
	row_scratch_reset(&decoder->scratch);
	decoder->n_pending = 0;
	decoder->n_called = 0;
}

/*
 * Fail a row whose values take too much memory together, though there was
 * enough for each of them.
 */
static void
check_memory(RowDecoder *decoder, RowResult *result)
{
	RowError	error;

	if (likely(row_memory_left_values(&decoder->memory) > 0))
		return;
	row_memory_refuse(&decoder->memory, &error);
	row_result_fail(result, &error, NULL);
}

/* Make the values of the row that was found, in the current context. */
static inline void
convert_row(RowDecoder *decoder, bool soft, RowResult *result)
{
	convert_payload(decoder, result);
	call_functions(decoder, soft, result);
	check_memory(decoder, result);
}

static int
decode_documents(RowDecoder *decoder, const StreamRecord *record, bool soft,
				 const RowResult *first, RowResult *result)
{
	RowFound	found = row_documents_first(decoder, record, result);
	int			n_rows = 0;

	while (found != ROW_FOUND_NONE)
	{
		if (n_rows++ > 0)
			row_rows_next(decoder, first, result);
		convert_row(decoder, soft, result);
		if (found == ROW_FOUND_LAST || result->failed)
			break;
		if (row_rows_are_many(decoder))
			row_rows_before(decoder, first);
		begin_row(decoder);
		found = row_documents_next(decoder, n_rows, result);
	}
	MemoryContextSwitchTo(decoder->record_cxt);
	return n_rows;
}

void
row_decode_again(RowDecoder *decoder, RowResult *result)
{
	begin_row(decoder);
	if (row_documents_next(decoder, 1, result) != ROW_FOUND_NONE)
		convert_row(decoder, false, result);
}

/* Make a row for each document of a payload of which no column is wanted. */
static int
decode_metadata_only(RowDecoder *decoder, const StreamRecord *record,
					 bool soft, const RowResult *first, RowResult *result)
{
	int			n_rows = row_documents_count(decoder, record, result);

	if (n_rows > 0)
		call_functions(decoder, soft, result);
	if (n_rows > 1)
		row_rows_keep(decoder, first)->times = n_rows - 1;
	return n_rows;
}

static int
decode_rows(RowDecoder *decoder, const StreamRecord *record, bool soft,
			RowResult *first)
{
	RowResult	result;
	int			n_rows = 0;

	begin_row(decoder);
	decoder->is_empty = false;
	decode_metadata(decoder, record, first);
	result = *first;
	if (result.failed)
		result.failed = !row_documents_none(decoder, record, first);
	else if (decoder->n_fields == decoder->n_metadata)
		n_rows = decode_metadata_only(decoder, record, soft, first, &result);
	else
		n_rows = decode_documents(decoder, record, soft, first, &result);
	if (!result.failed)
		return n_rows;

	/* all that remains is one row, with its metadata */
	first->error->message = MemoryContextStrdup(decoder->record_cxt,
												first->error->message);
	row_rows_forget(decoder);
	result.values = first->values;
	result.isnull = first->isnull;
	call_functions(decoder, soft, &result);
	for (int i = decoder->n_metadata; i < decoder->n_fields; i++)
		result.isnull[decoder->fields[i].column] = true;
	set_decode_error(decoder, &result);
	return ROW_UNDECODABLE;
}

int
row_decode(RowDecoder *decoder, const StreamRecord *record, bool soft,
		   Datum *values, bool *isnull, RowError *error)
{
	RowResult	first = {values, isnull, error, false};
	MemoryContext old;
	int			n_rows;

	memset(values, 0, decoder->n_columns * sizeof(Datum));
	memset(isnull, true, decoder->n_columns * sizeof(bool));
	if (unlikely(decoder->model != NULL || decoder->memory.inflated > 0))
		row_decode_stop(decoder);
	decoder->kept = NULL;
	decoder->kept_end = &decoder->kept;
	MemoryContextReset(decoder->record_cxt);
	row_memory_begin(&decoder->memory, kinesis_record_bytes(record->record));
	old = MemoryContextSwitchTo(decoder->record_cxt);
	n_rows = decode_rows(decoder, record, soft, &first);
	MemoryContextSwitchTo(old);
	/* free what the remaining rows do not need */
	if (decoder->memory.inflated > 0 && decoder->n_again == 0)
		payload_forget(decoder->payload);
	if (decoder->scratch.cxt_used)
		row_scratch_reset(&decoder->scratch);
	return n_rows;
}

/* Note which of the wanted payload columns found a value in a document. */
static void
watch_columns(const RowDecoder *decoder, Batch *batch,
			  const StreamRecord *record, const bool *isnull)
{
	for (int i = decoder->n_metadata; i < decoder->n_fields; i++)
		batch_watch(batch->watch, decoder->fields[i].name,
					!isnull[decoder->fields[i].column]);
	batch_count_watched(batch, record);
}

int
row_decode_of_batch(RowDecoder *decoder, Batch *batch,
					const StreamRecord *record, Datum *values, bool *isnull)
{
	RowError	error;
	int			n_rows = row_decode(decoder, record, true, values, isnull,
									&error);

	if (n_rows > 0 && unlikely(batch->watch != NULL))
		watch_columns(decoder, batch, record, isnull);
	if (decoder->is_empty)
		batch_leave_out(batch, record);
	if (n_rows != ROW_UNDECODABLE)
		return n_rows;
	batch_reject(batch, record, error.sqlstate, error_reason(decoder, &error));
	return 0;
}

bool
row_decode_was_empty(const RowDecoder *decoder)
{
	return decoder->is_empty;
}

size_t
row_decode_bytes(const RowDecoder *decoder)
{
	return decoder->payload_bytes;
}
