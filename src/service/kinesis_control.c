/*
 * kinesis_control.c
 *	  Kinesis: describing and listing streams and shards.
 *
 * The extension creates, changes and deletes none of them.
 */
#include "postgres.h"

#include <math.h>

#include "utils/timestamp.h"

#include "service/kinesis_wire.h"

/* Most shards in an answer to ListShards (API reference) */
#define LIST_SHARDS_LIMIT "1000"
/* A listing with more pages, of 1,000,000 shards, is taken for endless */
#define LIST_PAGES 1000
/* Kinesis keeps records for a year at most; other services may for longer */
#define RETENTION_HOURS_MAX (100 * 366 * 24)
/* How often to start a listing again whose token has expired */
#define LIST_RESTARTS 3

/* The phrase for aws_error_raise(). */
static const char *
phrase(const char *verb, const KinesisStream *stream)
{
	return psprintf("%s stream \"%s\"", verb, stream->name);
}

/* The time of so many seconds since 1970; 0 if they are no valid time. */
static TimestampTz
timestamp_from_seconds(double seconds)
{
	double		us = rint(seconds * USECS_PER_SEC) - KINESIS_EPOCH_US;

	/* no stream's age comes near the type's range: reject what is beyond it */
	return seconds > 0 && us < (double) END_TIMESTAMP ? (TimestampTz) us : 0;
}

static char *
copy_text(const char *text)
{
	return text ? pstrdup(text) : NULL;
}

static char *
copy_member(const JsonDoc *doc, const char *key)
{
	return copy_text(jsondoc_string(doc, key));
}

pg_noreturn static void
endless_listing(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_ERROR),
			 errmsg("could not %s", what),
			 errdetail("The listing does not end.")));
}

/*
 * A number of the stream's description; missing if it is not there.  If it is
 * not from min to max, closes the call and raises an error.
 */
static int
read_number(AwsCall *call, const char *what, const JsonDoc *description,
			const char *key, int missing, int min, int max)
{
	int64		number = jsondoc_int64(description, key, missing);

	if (number < min || number > max)
		kinesis_bad_answer(call, what, psprintf("%s is out of range.", key));
	return (int) number;
}

AwsCall *
kinesis_describe_begin(const KinesisStream *stream, bool once)
{
	AwsRequest	request = {
		.target = KINESIS_TARGET("DescribeStreamSummary"),
		.max_response_bytes = KINESIS_CONTROL_BYTES,
		.once = once
	};
	StringInfoData body;

	kinesis_body_init(&body);
	kinesis_body_stream(&body, stream);
	return kinesis_call_start(stream->aws, &request, &body);
}

KinesisStreamSummary *
kinesis_describe_end(const KinesisStream *stream, AwsCall *call)
{
	const char *what = phrase("describe", stream);
	KinesisStreamSummary *summary = palloc0(sizeof(KinesisStreamSummary));
	const JsonDoc *answer;

	kinesis_call_wait(call, AWS_ERROR_NONE, what);
	answer = jsondoc_get(kinesis_call_answer(call),
						 "StreamDescriptionSummary");
	summary->status = copy_member(answer, "StreamStatus");
	if (summary->status == NULL)
		kinesis_bad_answer(call, what, "The answer has no StreamStatus.");
	summary->created =
		timestamp_from_seconds(jsondoc_double(answer,
											  "StreamCreationTimestamp", 0));
	summary->retention_hours = read_number(call, what, answer,
										   "RetentionPeriodHours", 24, 1,
										   RETENTION_HOURS_MAX);
	summary->open_shards = read_number(call, what, answer, "OpenShardCount",
									   0, 0, PG_INT32_MAX);
	summary->max_record_bytes =
		read_number(call, what, answer, "MaxRecordSizeInKiB",
					KINESIS_RECORD_BYTES / 1024, 1, PG_INT32_MAX / 1024) * 1024;

	aws_call_close(call);
	return summary;
}

KinesisStreamSummary *
kinesis_describe_stream_summary(const KinesisStream *stream)
{
	return kinesis_describe_end(stream, kinesis_describe_begin(stream, false));
}

KinesisShard *
kinesis_shard_copy(const KinesisShard *shard)
{
	KinesisShard *copy = palloc(sizeof(KinesisShard));

	copy->shard_id = pstrdup(shard->shard_id);
	copy->parent_shard_id = copy_text(shard->parent_shard_id);
	copy->adjacent_parent_shard_id =
		copy_text(shard->adjacent_parent_shard_id);
	copy->starting_hash_key = copy_text(shard->starting_hash_key);
	copy->ending_hash_key = copy_text(shard->ending_hash_key);
	copy->starting_sequence_number =
		copy_text(shard->starting_sequence_number);
	copy->ending_sequence_number = copy_text(shard->ending_sequence_number);
	return copy;
}

static KinesisShard *
read_shard(const JsonDoc *doc)
{
	const JsonDoc *hash_keys = jsondoc_get(doc, "HashKeyRange");
	const JsonDoc *numbers = jsondoc_get(doc, "SequenceNumberRange");
	KinesisShard *shard = palloc0(sizeof(KinesisShard));

	shard->shard_id = copy_member(doc, "ShardId");
	shard->parent_shard_id = copy_member(doc, "ParentShardId");
	shard->adjacent_parent_shard_id =
		copy_member(doc, "AdjacentParentShardId");
	shard->starting_hash_key = copy_member(hash_keys, "StartingHashKey");
	shard->ending_hash_key = copy_member(hash_keys, "EndingHashKey");
	shard->starting_sequence_number =
		copy_member(numbers, "StartingSequenceNumber");
	shard->ending_sequence_number =
		copy_member(numbers, "EndingSequenceNumber");
	return shard;
}

/* Are the members that we store or compare valid, by the API? */
static bool
is_sound(const KinesisShard *shard)
{
	return (shard->parent_shard_id == NULL ||
			kinesis_is_name(shard->parent_shard_id)) &&
		(shard->adjacent_parent_shard_id == NULL ||
		 kinesis_is_name(shard->adjacent_parent_shard_id)) &&
		(shard->starting_sequence_number == NULL ||
		 kinesis_is_sequence_number(shard->starting_sequence_number));
}

/* If the request has a token, the API forbids it to name the stream, too. */
AwsCall *
kinesis_list_shards_begin(const KinesisStream *stream, const char *token,
						  void *owner)
{
	AwsRequest	request = {
		.target = KINESIS_TARGET("ListShards"),
		.max_response_bytes = KINESIS_CONTROL_BYTES,
		.owner = owner
	};
	StringInfoData body;

	kinesis_body_init(&body);
	if (token != NULL)
		kinesis_body_string(&body, "NextToken", token);
	else
		kinesis_body_stream(&body, stream);
	kinesis_body_number(&body, "MaxResults", LIST_SHARDS_LIMIT);
	return kinesis_call_start(stream->aws, &request, &body);
}

char *
kinesis_list_shards_end(const KinesisStream *stream, AwsCall *call,
						List **shards)
{
	const char *what = phrase("list the shards of", stream);
	const JsonDoc *answer = kinesis_call_answer(call);
	const JsonDoc *list = jsondoc_get(answer, "Shards");
	char	   *token;

	if (list == NULL)
		kinesis_bad_answer(call, what, "The answer has no Shards.");
	for (int i = 0; i < jsondoc_length(list); i++)
	{
		KinesisShard *shard = read_shard(jsondoc_at(list, i));

		if (!kinesis_is_name(shard->shard_id))
			kinesis_bad_answer(call, what, "A shard has no ShardId.");
		if (!is_sound(shard))
			kinesis_bad_answer(call, what, "A shard has a parent or a SequenceNumberRange that it cannot have.");
		*shards = lappend(*shards, shard);
	}
	token = copy_member(answer, "NextToken");
	aws_call_close(call);
	return token;
}

/* List all shards, from the first page on.  False if a token expired. */
static bool
list_shards_once(const KinesisStream *stream, const char *what, List **shards)
{
	char	   *token = NULL;

	*shards = NIL;
	for (int page = 0; page < LIST_PAGES; page++)
	{
		AwsCall    *call = kinesis_list_shards_begin(stream, token, NULL);

		kinesis_call_wait(call, AWS_ERROR_EXPIRED_TOKEN, what);
		if (aws_call_error(call) != NULL)
		{
			aws_call_close(call);
			return false;
		}
		token = kinesis_list_shards_end(stream, call, shards);
		if (token == NULL)
			return true;
	}
	endless_listing(what);
}

List *
kinesis_list_shards(const KinesisStream *stream)
{
	const char *what = phrase("list the shards of", stream);
	List	   *shards;

	for (int restart = 0; restart <= LIST_RESTARTS; restart++)
		if (list_shards_once(stream, what, &shards))
			return shards;
	endless_listing(what);
}

List *
kinesis_list_streams(AwsClient *aws)
{
	const char *what = "list the streams";
	List	   *names = NIL;

	for (int page = 0; page < LIST_PAGES; page++)
	{
		StringInfoData body;
		AwsCall    *call;
		const JsonDoc *answer;
		const JsonDoc *list;
		bool		at_end;

		kinesis_body_init(&body);
		if (names != NIL)
			kinesis_body_string(&body, "ExclusiveStartStreamName",
								llast(names));
		call = kinesis_call(aws, KINESIS_TARGET("ListStreams"), &body,
							AWS_ERROR_NONE, what);

		answer = kinesis_call_answer(call);
		list = jsondoc_get(answer, "StreamNames");
		if (list == NULL)
			kinesis_bad_answer(call, what, "The answer has no StreamNames.");
		for (int i = 0; i < jsondoc_length(list); i++)
		{
			const char *name = jsondoc_text(jsondoc_at(list, i));

			if (!kinesis_is_name(name))
				kinesis_bad_answer(call, what, "The answer has an invalid StreamName.");
			names = lappend(names, pstrdup(name));
		}
		at_end = jsondoc_length(list) == 0 ||
			!jsondoc_is_true(answer, "HasMoreStreams");
		aws_call_close(call);
		if (at_end)
			return names;
	}
	endless_listing(what);
}
