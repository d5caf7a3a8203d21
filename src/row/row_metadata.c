/*
 * row_metadata.c
 *	  Makes values of metadata, which the service or the reader adds to a
 *	  record.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "row/row_metadata.h"
#include "row/row_raw.h"
#include "row/row_scalar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

/* Digits of an int32, with a terminator */
#define INT32_CHARS 12

/* The arguments of row_metadata_value(). */
typedef struct Making
{
	const RowField *field;
	RowScratch *scratch;
	bool		may_call;
	Datum	   *datum;
	RowError   *error;
} Making;

static RowInputResult
text_value(const Making *making, const char *text, size_t len)
{
	return row_input_text(&making->field->input, making->scratch, text, len,
						  making->may_call, making->datum, making->error);
}

/* Types of numbers take digits without their input function. */
static RowInputResult
digits_value(const Making *making, const char *digits, size_t len)
{
	RowInputResult result = ROW_INPUT_CALL;

	if (making->field->input.kind == ROW_INPUT_NUMERIC)
		result = row_scalar_numeric(digits, len, making->datum);
	else if (making->field->input.kind == ROW_INPUT_FLOAT8)
		result = row_scalar_float8(digits, len, making->datum);
	return result == ROW_INPUT_CALL ? text_value(making, digits, len) : result;
}

static RowInputResult
int32_value(const Making *making, int32 number)
{
	char		digits[INT32_CHARS];

	switch (making->field->input.type)
	{
		case INT4OID:
			*making->datum = Int32GetDatum(number);
			return ROW_INPUT_DONE;
		case INT8OID:
			*making->datum = Int64GetDatum(number);
			return ROW_INPUT_DONE;
		default:
			return digits_value(making, digits, pg_ltoa(number, digits));
	}
}

/* The key is still a JSON string, as in the answer that the record came in. */
static RowInputResult
partition_key_value(const Making *making, const KinesisRecord *record)
{
	const JsonSlice key = {
		record->partition_key, record->partition_key_bytes, JSON_TOKEN_STRING,
		record->key_escaped
	};

	return row_input_value(&making->field->input, making->scratch, &key,
						   making->may_call, making->datum, making->error);
}

/* Types other than timestamptz take the time as a text. */
static RowInputResult
time_value(const Making *making, TimestampTz time)
{
	const RowInput *input = &making->field->input;
	Datum		datum = TimestampTzGetDatum(time);
	MemoryContext cxt;
	char	   *text;

	if (input->type == TIMESTAMPTZOID)
	{
		if (input->typmod >= 0)
			datum = DirectFunctionCall2(timestamptz_scale, datum,
										Int32GetDatum(input->typmod));
		*making->datum = datum;
		return ROW_INPUT_DONE;
	}
	cxt = MemoryContextSwitchTo(making->scratch->cxt);
	making->scratch->cxt_used = true;
	text = DatumGetCString(DirectFunctionCall1(timestamptz_out, datum));
	MemoryContextSwitchTo(cxt);
	return text_value(making, text, strlen(text));
}

static RowInputResult
data_value(const Making *making, const StreamRecord *record)
{
	const RowField *field = making->field;
	const char *data;
	size_t		bytes;
	JsonSlice	slice;

	if (!row_raw_data(record, &data, &bytes, making->error))
		return ROW_INPUT_BAD;
	if (field->input.type == BYTEAOID)
		return row_raw_bytea(making->scratch->memory, data, bytes,
							 making->datum, making->error);
	if (!row_raw_slice(field, data, bytes, &slice, making->error))
		return ROW_INPUT_BAD;
	return row_input_value(&field->input, making->scratch, &slice,
						   making->may_call, making->datum, making->error);
}

bool
row_metadata_is_null(RowMetadata metadata, const KinesisRecord *record)
{
	switch (metadata)
	{
		case ROW_META_APPROXIMATE_ARRIVAL_TIMESTAMP:
			return record->arrived == 0;
		case ROW_META_SUB_SEQUENCE_NUMBER:
			return record->sub_sequence < 0;
		case ROW_META_EXPLICIT_HASH_KEY:
			return record->explicit_hash_key == NULL;
		case ROW_META_DECODE_ERROR: /* set_decode_error() sets it */
			return true;
		default:
			return false;
	}
}

RowInputResult
row_metadata_value(const RowField *field, RowScratch *scratch,
				   const StreamRecord *record, bool may_call, Datum *datum,
				   RowError *error)
{
	const Making making = {field, scratch, may_call, datum, error};
	const KinesisRecord *kinesis = record->record;

	switch (field->metadata)
	{
		case ROW_META_STREAM:
			return text_value(&making, record->stream, strlen(record->stream));
		case ROW_META_SHARD_ID:
			return text_value(&making, record->shard_id,
							  strlen(record->shard_id));
		case ROW_META_SEQUENCE_NUMBER:
			return digits_value(&making, kinesis->sequence_number,
								kinesis->sequence_number_digits);
		case ROW_META_SUB_SEQUENCE_NUMBER:
			return int32_value(&making, kinesis->sub_sequence);
		case ROW_META_PARTITION_KEY:
			return partition_key_value(&making, kinesis);
		case ROW_META_EXPLICIT_HASH_KEY:
			return text_value(&making, kinesis->explicit_hash_key,
							  kinesis->explicit_hash_key_digits);
		case ROW_META_APPROXIMATE_ARRIVAL_TIMESTAMP:
			return time_value(&making, kinesis->arrived);
		case ROW_META_DATA:
			return data_value(&making, record);
		default:
			break;
	}
	pg_unreachable();
}
