/*
 * kinesis_write.c
 *	  Kinesis: PutRecords.
 *
 * A record that the service refuses is a result, not an error: the caller
 * decides which records to send again, and when.
 */
#include "postgres.h"

#include "base/base64.h"
#include "service/kinesis_wire.h"

/* Append the data in base64, encoded straight into the body. */
static void
body_data(StringInfo body, const char *data, size_t bytes)
{
	size_t		encoded = BASE64_ENCODED_LEN(bytes);

	kinesis_body_key(body, "Data");
	appendStringInfoChar(body, '"');
	enlargeStringInfo(body, encoded);
	base64_encode(data, bytes, body->data + body->len);
	body->len += encoded;
	appendStringInfoChar(body, '"');
}

static void
body_records(StringInfo body, const KinesisPutRecord *records, int n)
{
	kinesis_body_key(body, "Records");
	appendStringInfoChar(body, '[');
	for (int i = 0; i < n; i++)
	{
		appendStringInfoString(body, i > 0 ? ",{" : "{");
		body_data(body, records[i].data, records[i].data_bytes);
		kinesis_body_string(body, "PartitionKey", records[i].partition_key);
		if (records[i].explicit_hash_key != NULL)
			kinesis_body_string(body, "ExplicitHashKey",
								records[i].explicit_hash_key);
		appendStringInfoChar(body, '}');
	}
	appendStringInfoChar(body, ']');
}

/*
 * Read the result of a record; false if it tells neither success nor failure.
 */
static bool
read_result(const AwsCall *call, const JsonDoc *doc, KinesisPutResult *result)
{
	const char *error_code = jsondoc_string(doc, "ErrorCode");
	const char *shard_id = jsondoc_string(doc, "ShardId");
	const char *sequence_number = jsondoc_string(doc, "SequenceNumber");

	memset(result, 0, sizeof(KinesisPutResult));
	if (error_code != NULL)
	{
		result->error = palloc(sizeof(AwsError));
		aws_call_refusal(call, error_code, jsondoc_string(doc, "ErrorMessage"),
						 result->error);
		return true;
	}
	if (!kinesis_is_name(shard_id) ||
		!kinesis_is_sequence_number(sequence_number))
		return false;
	result->shard_id = pstrdup(shard_id);
	result->sequence_number = pstrdup(sequence_number);
	return true;
}

void
kinesis_put_records(const KinesisStream *stream,
					const KinesisPutRecord *records, int n,
					KinesisPutResult *results)
{
	const char *what = psprintf("put records into stream \"%s\"",
								stream->name);
	StringInfoData body;
	AwsCall    *call;
	const JsonDoc *list;

	kinesis_body_init(&body);
	kinesis_body_stream(&body, stream);
	body_records(&body, records, n);
	call = kinesis_call(stream->aws, KINESIS_TARGET("PutRecords"), &body,
						AWS_ERROR_NONE, what);

	list = jsondoc_get(kinesis_call_answer(call), "Records");
	if (jsondoc_length(list) != n)
		kinesis_bad_answer(call, what,
						   "The answer does not have one result for each record.");
	for (int i = 0; i < n; i++)
		if (!read_result(call, jsondoc_at(list, i), &results[i]))
			kinesis_bad_answer(call, what,
							   "A result has no ShardId and no ErrorCode.");
	aws_call_close(call);
}
