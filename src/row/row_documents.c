/*
 * row_documents.c
 *	  The payload of a record, one document after the other, and whether there
 *	  is anything in it.
 *
 * What a payload is, is looked at whatever columns are wanted: it inflates, is
 * JSON, and its documents are objects where a column takes a member.  So a
 * record that cannot be decoded does not count as a row.  What is in values
 * that no column wants is not looked at.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "row/row_decoder.h"
#include "row/row_error.h"

static void
begin_raw(RowDecoder *decoder, const char *data, size_t bytes,
		  RowResult *result)
{
	int			field = decoder->n_metadata;
	RowError	error;

	decoder->is_empty = bytes == 0 && decoder->empty == ROW_EMPTY_SKIP;
	if (bytes == 0 && decoder->empty == ROW_EMPTY_ERROR)
		row_error_set(&error, ERRCODE_INVALID_TEXT_REPRESENTATION,
					  "record is empty");
	else if (decoder->is_empty || field == decoder->n_fields ||
			 row_source_raw(&decoder->fields[field], &decoder->memory, data,
							bytes, &decoder->slices[field], result, &error))
		return;
	row_result_fail(result, &error, NULL);
}

/* What has no bytes is not compressed by anything. */
static inline bool
inflate(RowDecoder *decoder, const char **data, size_t *bytes,
		RowError *error)
{
	return (*bytes == 0 && decoder->empty != ROW_EMPTY_VALUE) ||
		payload_inflate(decoder->payload, data, bytes, error);
}

void
row_documents_begin(RowDecoder *decoder, const StreamRecord *record,
					RowResult *result)
{
	const char *data;
	size_t		bytes;
	RowError	error;

	if (!row_source_data(record, &data, &bytes, &error) ||
		!inflate(decoder, &data, &bytes, &error))
	{
		row_result_fail(result, &error, NULL);
		return;
	}
	decoder->payload_bytes = bytes;
	if (decoder->json != NULL)
		row_json_begin(decoder->json, data, bytes);
	else
		begin_raw(decoder, data, bytes, result);
}

bool
row_documents_next(RowDecoder *decoder, int n_rows, RowResult *result)
{
	RowJsonResult found;
	RowError	error;

	CHECK_FOR_INTERRUPTS();
	if (decoder->json == NULL)
		return n_rows == 0 && !decoder->is_empty;
	found = row_json_next(decoder->json,
						  decoder->slices + decoder->n_metadata, &error);
	if (found == ROW_JSON_EMPTY && decoder->empty == ROW_EMPTY_SKIP)
		decoder->is_empty = true;
	else if (found == ROW_JSON_EMPTY || found == ROW_JSON_BAD)
		row_result_fail(result, &error, NULL);
	else if (decoder->one_document && (n_rows > 0) == (found == ROW_JSON_FOUND))
	{
		row_error_set(&error, ERRCODE_INVALID_TEXT_REPRESENTATION,
					  n_rows > 0 ? "record holds more than one JSON document" :
					  "record holds no JSON document");
		row_result_fail(result, &error, NULL);
	}
	return found == ROW_JSON_FOUND;
}

/* Is the payload one object, as its metadata "data" was found to be JSON? */
static bool
is_known_object(const RowDecoder *decoder, const StreamRecord *record)
{
	RowError	error;
	const char *data;
	size_t		bytes;

	return decoder->wants_json_data && decoder->json != NULL &&
		row_source_data(record, &data, &bytes, &error) && *data == '{';
}

int
row_documents_count(RowDecoder *decoder, const StreamRecord *record,
					RowResult *result)
{
	int			n_rows = 0;

	if (decoder->trusts && kinesis_record_bytes(record->record) > 0)
		return 1;
	row_documents_begin(decoder, record, result);
	if (!result->failed && is_known_object(decoder, record))
		return 1;
	while (!result->failed && row_documents_next(decoder, n_rows, result))
		n_rows++;
	return n_rows;
}

bool
row_documents_none(RowDecoder *decoder, const StreamRecord *record,
				   const RowResult *result)
{
	RowError	error;
	RowResult	other = {result->values, result->isnull, &error, false};

	if (decoder->empty != ROW_EMPTY_SKIP)
		return false;
	row_documents_begin(decoder, record, &other);
	if (!other.failed)
		(void) row_documents_next(decoder, 0, &other);
	return decoder->is_empty;
}
