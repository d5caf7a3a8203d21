/*
 * kinesis_read.c
 *	  Kinesis: GetShardIterator, GetRecords, and the data of a record.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "base/base64.h"
#include "service/kinesis_wire.h"

/*
 * Limit of an answer to GetRecords: KINESIS_GET_RECORDS_BYTES of payload take
 * 13.4 MiB in base64, and 10,000 records some 3 MB around them.  Emulators may
 * answer with more; then a reader gets AWS_ERROR_TOO_LARGE, and asks for fewer
 * records.
 */
#define GET_RECORDS_ANSWER_BYTES (20 * 1024 * 1024)

/* Limit of an answer to GetShardIterator: 512 characters (API reference) */
#define ITERATOR_ANSWER_BYTES (64 * 1024)
/*
 * GetShardIterator reads no records, so that it answers soon; but kinesalite
 * never does for a time after the last record.
 */
#define ITERATOR_TIMEOUT_MS 5000

/* A time as the API wants it: seconds since 1970, with milliseconds. */
static char *
seconds_text(TimestampTz timestamp)
{
	int64		us = 0;

	/* all times before 1970 mean the same: before the trim horizon */
	if (timestamp > -KINESIS_EPOCH_US)
		us = timestamp + KINESIS_EPOCH_US;
	return psprintf(INT64_FORMAT ".%03d", us / USECS_PER_SEC,
					(int) (us % USECS_PER_SEC / 1000));
}

void
kinesis_body_iterator(StringInfo body, const KinesisStream *stream,
					  const char *shard_id, const KinesisIteratorStart *start)
{
	static const char *const type_names[] = {
		[KINESIS_AT_SEQUENCE_NUMBER] = "AT_SEQUENCE_NUMBER",
		[KINESIS_AFTER_SEQUENCE_NUMBER] = "AFTER_SEQUENCE_NUMBER",
		[KINESIS_TRIM_HORIZON] = "TRIM_HORIZON",
		[KINESIS_LATEST] = "LATEST",
		[KINESIS_AT_TIMESTAMP] = "AT_TIMESTAMP"
	};

	StaticAssertDecl(lengthof(type_names) == KINESIS_AT_TIMESTAMP + 1,
					 "each KinesisIteratorType has a name");

	kinesis_body_init(body);
	kinesis_body_stream(body, stream);
	kinesis_body_string(body, "ShardId", shard_id);
	kinesis_body_string(body, "ShardIteratorType", type_names[start->type]);
	if (start->type == KINESIS_AT_SEQUENCE_NUMBER ||
		start->type == KINESIS_AFTER_SEQUENCE_NUMBER)
		kinesis_body_string(body, "StartingSequenceNumber",
							start->sequence_number);
	else if (start->type == KINESIS_AT_TIMESTAMP)
		kinesis_body_number(body, "Timestamp",
							seconds_text(start->timestamp));
}

AwsCall *
kinesis_get_shard_iterator_begin(const KinesisStream *stream,
								 const char *shard_id,
								 const KinesisIteratorStart *start,
								 void *owner)
{
	AwsRequest	request = {
		.target = KINESIS_TARGET("GetShardIterator"),
		.max_response_bytes = ITERATOR_ANSWER_BYTES,
		.timeout_ms = ITERATOR_TIMEOUT_MS,
		.once = true,
		.owner = owner
	};
	StringInfoData body;

	kinesis_body_iterator(&body, stream, shard_id, start);
	return kinesis_call_start(stream->aws, &request, &body);
}

char *
kinesis_get_shard_iterator_end(AwsCall *call, AwsError *error)
{
	const char *iterator = jsondoc_string(kinesis_call_answer(call),
										  "ShardIterator");
	char	   *copy = NULL;

	if (iterator != NULL)
		copy = pstrdup(iterator);
	else
		aws_error_from_nonsense(error, "The answer has no ShardIterator.");
	aws_call_close(call);
	return copy;
}

AwsCall *
kinesis_get_records_begin(const KinesisStream *stream, const char *iterator,
						  int limit, void *owner)
{
	AwsRequest	request = {
		.target = KINESIS_TARGET("GetRecords"),
		.max_response_bytes = GET_RECORDS_ANSWER_BYTES,
		.budget = stream->budget,
		.once = true,
		.progress = kinesis_page_progress,
		.owner = owner
	};
	StringInfoData body;

	kinesis_body_init(&body);
	kinesis_body_string(&body, "ShardIterator", iterator);
	kinesis_body_number(&body, "Limit", psprintf("%d", limit));
	/* the iterator names the stream, but not the account, as an ARN does */
	if (strncmp(stream->name, "arn:", 4) == 0)
		kinesis_body_stream(&body, stream);

	return kinesis_call_start(stream->aws, &request, &body);
}

/*
 * The errors caught here are raised by functions that only scan memory of the
 * call, so that no subtransaction is needed to clean up after them.
 */
KinesisPage *
kinesis_get_records_try(AwsCall *call, AwsError *error)
{
	MemoryContext cxt = CurrentMemoryContext;
	KinesisPage *volatile page = NULL;

	PG_TRY();
	{
		page = kinesis_get_records_end(call);
	}
	PG_CATCH();
	{
		ErrorData  *nonsense;

		if (geterrcode() != ERRCODE_FDW_ERROR)
			PG_RE_THROW();
		MemoryContextSwitchTo(cxt);
		nonsense = CopyErrorData();
		FlushErrorState();
		aws_error_from_nonsense(error, nonsense->detail);
		FreeErrorData(nonsense);
	}
	PG_END_TRY();
	return page;
}

bool
kinesis_record_data(KinesisRecord *record, const char **data, size_t *bytes)
{
	if (!record->decoded && !record->undecodable)
	{
		ssize_t		decoded = base64_decode(record->data, record->data_bytes,
											record->data);

		if (decoded < 0)
			record->undecodable = true;
		else
		{
			record->data_bytes = decoded;
			record->decoded = true;
		}
	}
	*data = record->data;
	*bytes = record->data_bytes;
	return record->decoded;
}

char *
kinesis_record_sequence(const KinesisRecord *record)
{
	return pnstrdup(record->sequence_number, record->sequence_number_digits);
}
