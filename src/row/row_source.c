/*
 * row_source.c
 *	  Where the text of a column's value is: metadata and raw payloads.
 *
 * What is a part of JSON is found in row_json.c.  Nothing is converted here
 * but what has no text: bytes, and the time of arrival.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "json/json_scan.h"
#include "mb/pg_wchar.h"
#include "row/row_error.h"
#include "row/row_json.h"
#include "row/row_source.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

static void
set_text_slice(JsonSlice *slice, const char *text, size_t len)
{
	slice->start = text;
	slice->len = len;
	slice->type = JSON_TOKEN_STRING;
	slice->escaped = false;
}

/* The payload as text: it must be what a text can be. */
static bool
check_payload_text(const char *data, size_t len, RowError *error)
{
	int			valid = pg_encoding_verifymbstr(PG_UTF8, data, len);

	if (valid == (int) len)
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

/*
 * The payload as JSON.  It is there, also if it is JSON's null: that is not
 * SQL's, but a value as true is.
 */
static bool
payload_json_slice(const char *data, size_t len, JsonSlice *slice,
				   RowError *error)
{
	JsonScan	scan;

	json_scan_init(&scan, data, len);
	if (json_scan_value(&scan, slice) == JSON_TOKEN_ERROR ||
		json_scan_next(&scan) != JSON_TOKEN_END)
	{
		row_json_error(&scan, error);
		return false;
	}
	if (slice->type == JSON_TOKEN_NULL)
		slice->type = JSON_TOKEN_TRUE;
	return true;
}

bool
row_source_data(const StreamRecord *record, const char **data,
				size_t *bytes, RowError *error)
{
	if (kinesis_record_data(record->record, data, bytes))
		return true;
	row_error_set(error, ERRCODE_DATA_EXCEPTION,
				  "record did not arrive as base64");
	return false;
}

/*
 * bytea takes any bytes and is made here; what becomes of the slice otherwise
 * is a matter of the type.
 */
bool
row_source_raw(const RowField *field, const RowMemory *memory,
			   const char *data, size_t bytes, JsonSlice *slice,
			   RowResult *result, RowError *error)
{
	slice->type = JSON_TOKEN_NULL;
	if (field->input.type == BYTEAOID)
	{
		if (bytes >= ROW_LARGE_BYTES && !row_memory_admits(memory, bytes, 0))
		{
			row_memory_refuse(memory, error);
			return false;
		}
		result->values[field->column] =
			PointerGetDatum(cstring_to_text_with_len(data, bytes));
		result->isnull[field->column] = false;
		return true;
	}
	if (field->input.takes_json)
		return payload_json_slice(data, bytes, slice, error);
	set_text_slice(slice, data, bytes);
	return check_payload_text(data, bytes, error);
}

static bool
find_data(const RowField *field, const RowMemory *memory,
		  const StreamRecord *record, JsonSlice *slice, RowResult *result,
		  RowError *error)
{
	const char *data;
	size_t		bytes;

	return row_source_data(record, &data, &bytes, error) &&
		row_source_raw(field, memory, data, bytes, slice, result, error);
}

/* A number that is not written anywhere in the record. */
static void
set_number_slice(JsonSlice *slice, RowScratch *scratch, int32 number)
{
	set_text_slice(slice, scratch->number, pg_ltoa(number, scratch->number));
	slice->type = JSON_TOKEN_NUMBER;
}

/* timestamptz is made here, other types by way of its text. */
static void
find_arrival(const RowField *field, RowScratch *scratch,
			 TimestampTz arrived, JsonSlice *slice, RowResult *result)
{
	Datum		datum = TimestampTzGetDatum(arrived);

	if (field->input.type == TIMESTAMPTZOID)
	{
		if (field->input.typmod >= 0)
			datum = DirectFunctionCall2(timestamptz_scale, datum,
										Int32GetDatum(field->input.typmod));
		result->values[field->column] = datum;
		result->isnull[field->column] = false;
	}
	else
	{
		MemoryContext cxt = MemoryContextSwitchTo(scratch->cxt);
		char	   *text;

		scratch->cxt_used = true;
		text = DatumGetCString(DirectFunctionCall1(timestamptz_out, datum));
		MemoryContextSwitchTo(cxt);
		set_text_slice(slice, text, strlen(text));
	}
}

bool
row_source_find(const RowField *field, RowScratch *scratch,
				const StreamRecord *record, JsonSlice *slice,
				RowResult *result, RowError *error)
{
	const KinesisRecord *kinesis = record->record;

	slice->type = JSON_TOKEN_NULL;
	switch (field->metadata)
	{
		case ROW_META_STREAM:
			set_text_slice(slice, record->stream, strlen(record->stream));
			break;
		case ROW_META_SHARD_ID:
			set_text_slice(slice, record->shard_id, strlen(record->shard_id));
			break;
		case ROW_META_SEQUENCE_NUMBER:
			set_text_slice(slice, kinesis->sequence_number,
						   kinesis->sequence_number_digits);
			slice->type = JSON_TOKEN_NUMBER;
			break;
		case ROW_META_PARTITION_KEY:
			set_text_slice(slice, kinesis->partition_key,
						   kinesis->partition_key_bytes);
			slice->escaped = kinesis->key_escaped;
			break;
		case ROW_META_APPROXIMATE_ARRIVAL_TIMESTAMP:
			if (kinesis->arrived != 0)
				find_arrival(field, scratch, kinesis->arrived, slice, result);
			break;
		case ROW_META_SUB_SEQUENCE_NUMBER:
			if (kinesis->sub_sequence >= 0)
				set_number_slice(slice, scratch, kinesis->sub_sequence);
			break;
		case ROW_META_EXPLICIT_HASH_KEY:
			if (kinesis->explicit_hash_key != NULL)
				set_text_slice(slice, kinesis->explicit_hash_key,
							   kinesis->explicit_hash_key_digits);
			break;
		case ROW_META_DATA:
			return find_data(field, scratch->memory, record, slice, result,
							 error);
		case ROW_META_NONE:
		case ROW_META_DECODE_ERROR:
			break;
	}
	return true;
}
