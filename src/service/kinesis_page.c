/*
 * kinesis_page.c
 *	  Kinesis: reading an answer to GetRecords into a page of records.
 *
 * We scan the answer once, without building a tree.  Plain records, written as
 * all servers write them, are read while the answer comes in and they are in
 * the processor's cache; all else once the answer is complete.
 */
#include "postgres.h"

#include "service/kinesis_answer.h"

/* An answer can be read while it comes in if it begins like this */
#define RECORDS_START "{\"Records\":["

/* As microseconds, which readers use, an int64 holds no more */
#define MILLIS_MAX (PG_INT64_MAX / 1000)

static void
read_parents(KinesisAnswer *answer, KinesisShard *shard)
{
	JsonSlice	value;

	if (!kinesis_answer_enter(answer, JSON_TOKEN_ARRAY_START))
		return;
	while (kinesis_answer_value(answer, &value) != JSON_TOKEN_ARRAY_END)
	{
		if (shard->parent_shard_id == NULL)
			shard->parent_shard_id = kinesis_answer_string(answer, &value);
		else
			shard->adjacent_parent_shard_id = kinesis_answer_string(answer, &value);
	}
}

static void
read_hash_key_range(KinesisAnswer *answer, KinesisShard *shard)
{
	JsonSlice	key;
	JsonSlice	value;

	if (!kinesis_answer_enter(answer, JSON_TOKEN_OBJECT_START))
		return;
	while (kinesis_answer_member(answer, &key))
	{
		kinesis_answer_value(answer, &value);
		if (KINESIS_KEY_IS(key, "StartingHashKey"))
			shard->starting_hash_key = kinesis_answer_string(answer, &value);
		else if (KINESIS_KEY_IS(key, "EndingHashKey"))
			shard->ending_hash_key = kinesis_answer_string(answer, &value);
	}
}

static void
read_child_shard(KinesisAnswer *answer)
{
	KinesisShard *shard = palloc0(sizeof(KinesisShard));
	JsonSlice	key;
	JsonSlice	value;

	while (kinesis_answer_member(answer, &key))
	{
		if (KINESIS_KEY_IS(key, "ParentShards"))
			read_parents(answer, shard);
		else if (KINESIS_KEY_IS(key, "HashKeyRange"))
			read_hash_key_range(answer, shard);
		else
		{
			kinesis_answer_value(answer, &value);
			if (KINESIS_KEY_IS(key, "ShardId"))
				shard->shard_id = kinesis_answer_string(answer, &value);
		}
	}
	if (!kinesis_is_name(shard->shard_id) ||
		!kinesis_is_name(shard->parent_shard_id) ||
		(shard->adjacent_parent_shard_id != NULL &&
		 !kinesis_is_name(shard->adjacent_parent_shard_id)))
		kinesis_answer_refuse(answer, "A child shard has no ShardId or no ParentShards.");
	answer->page->child_shards = lappend(answer->page->child_shards, shard);
}

/* Read any member of the answer but the records. */
static void
read_member(KinesisAnswer *answer, const JsonSlice *key)
{
	KinesisPage *page = answer->page;
	JsonSlice	value;
	JsonToken	type;

	if (KINESIS_KEY_IS(*key, "ChildShards"))
	{
		if (kinesis_answer_enter(answer, JSON_TOKEN_ARRAY_START))
			while (kinesis_answer_object(answer))
				read_child_shard(answer);
		return;
	}
	type = kinesis_answer_value(answer, &value);
	if (KINESIS_KEY_IS(*key, "NextShardIterator"))
		page->next_iterator = kinesis_answer_string(answer, &value);
	else if (KINESIS_KEY_IS(*key, "MillisBehindLatest") &&
			 type == JSON_TOKEN_NUMBER &&
			 (!kinesis_answer_number(&value, 0, &page->millis_behind_latest) ||
			  page->millis_behind_latest < 0 ||
			  page->millis_behind_latest > MILLIS_MAX))
		kinesis_answer_refuse(answer, "MillisBehindLatest is out of range.");
}

/* Read all of the answer that was not read while it came in. */
static void
read_page(KinesisAnswer *answer)
{
	JsonSlice	key;
	bool		has_records = answer->in_records;

	if (answer->in_records)
		kinesis_answer_records(answer);
	else if (!kinesis_answer_enter(answer, JSON_TOKEN_OBJECT_START))
		kinesis_answer_refuse(answer, "The answer is null.");
	while (kinesis_answer_member(answer, &key))
	{
		if (!KINESIS_KEY_IS(key, "Records"))
			read_member(answer, &key);
		else if (has_records)
			kinesis_answer_refuse(answer, "The answer has Records twice.");
		else if (kinesis_answer_enter(answer, JSON_TOKEN_ARRAY_START))
		{
			has_records = true;
			kinesis_answer_records(answer);
		}
	}
	if (json_scan_next(&answer->scan) != JSON_TOKEN_END)
		kinesis_answer_refuse(answer, NULL);
	/* lest an answer without anything be taken for the end of the shard */
	if (!has_records)
		kinesis_answer_refuse(answer, "The answer has no Records.");
}

/* Begin to read an answer, in the current context, which is the call's. */
static void
begin_answer(KinesisAnswer *answer, AwsCall *call, char *body, size_t bytes)
{
	memset(answer, 0, sizeof(KinesisAnswer));
	answer->call = call;
	answer->page = palloc0(sizeof(KinesisPage));
	answer->page->call = call;
	answer->page->millis_behind_latest = -1;
	json_scan_init(&answer->scan, body, bytes);
}

/* Enter the array of records if the answer begins with it. */
static void
enter_records(KinesisAnswer *answer, const char *body, size_t bytes)
{
	const char *p = body;

	if (!KINESIS_TAKE(&p, body + bytes, RECORDS_START))
		return;
	json_scan_next(&answer->scan);
	json_scan_next(&answer->scan);
	json_scan_next(&answer->scan);
	answer->in_records = true;
}

/*
 * Read the records that have come.  We look again at an incomplete record only
 * when twice as much of it has come, as large records come in many pieces.
 */
void *
kinesis_page_progress(AwsCall *call, void *state, char *body, size_t bytes,
					  size_t room)
{
	MemoryContext old = MemoryContextSwitchTo(aws_call_context(call));
	KinesisAnswer *answer = state;
	const char *end;

	if (answer == NULL)
		answer = palloc(sizeof(KinesisAnswer));
	if (state == NULL || json_scan_text(&answer->scan) != body)
	{
		begin_answer(answer, call, body, bytes);
		answer->page->bytes = room;
		enter_records(answer, body, bytes);
	}
	if (answer->in_records && bytes >= answer->next_bytes)
	{
		size_t		left;

		json_scan_extend(&answer->scan, bytes);
		kinesis_answer_plain_records(answer);
		left = body + bytes - json_scan_rest(&answer->scan, &end);
		answer->next_bytes = bytes + left;
	}
	MemoryContextSwitchTo(old);
	return answer;
}

KinesisPage *
kinesis_get_records_end(AwsCall *call)
{
	MemoryContext old = MemoryContextSwitchTo(aws_call_context(call));
	KinesisAnswer *answer = aws_call_progress(call);
	size_t		bytes;
	char	   *body = aws_call_body(call, &bytes);

	if (answer == NULL || !answer->in_records ||
		json_scan_text(&answer->scan) != body)
	{
		answer = palloc(sizeof(KinesisAnswer));
		begin_answer(answer, call, body, bytes);
	}
	json_scan_extend(&answer->scan, bytes);
	answer->caller_cxt = old;
	answer->page->bytes = bytes;
	read_page(answer);

	MemoryContextSwitchTo(old);
	return answer->page;
}

void
kinesis_page_free(KinesisPage *page)
{
	aws_call_close(page->call);
}
