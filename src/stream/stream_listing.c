/*
 * stream_listing.c
 *	  Finding shards that the stream got after the reader was opened.
 *
 * The reader makes the calls of a listing beside those for the shards, so that
 * no shard waits for them.
 */
#include "postgres.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "stream/stream_private.h"
#include "utils/memutils.h"

void
stream_listing_init(StreamReader *reader)
{
	reader->found_cxt = AllocSetContextCreate(reader->cxt,
											  "tracking_fdw shards found",
											  ALLOCSET_SMALL_SIZES);
	reader->list_due_ms = clock_now_ms() + reader->options.list_interval_ms;
	shard_pace_init(&reader->list_pace, reader->cxt);
}

/* When to list next; with jitter, so that not all readers list together. */
static int64
next_listing(const StreamReader *reader, int64 now_ms)
{
	long		interval_ms = reader->options.list_interval_ms;

	return now_ms + interval_ms - (long) (backoff_random() * interval_ms / 10);
}

long
stream_listing_start(StreamReader *reader, int64 now_ms)
{
	int64		due_ms = Max(reader->list_due_ms, reader->list_pace.due_ms);

	if (reader->options.list_interval_ms == 0 || reader->list_call != NULL)
		return -1;
	if (due_ms > now_ms)
		return (long) (due_ms - now_ms);
	reader->list_due_ms = next_listing(reader, now_ms);
	reader->list_call = kinesis_list_shards_begin(&reader->stream, NULL,
												  reader);
	return -1;
}

/*
 * Raise an error if a shard begins with another sequence number than the one
 * of the same id that we know: then it belongs to a new stream of the same
 * name.
 */
static void
check_beginning(const StreamReader *reader, const KinesisShard *known,
				const KinesisShard *listed)
{
	if (known->starting_sequence_number == NULL ||
		listed->starting_sequence_number == NULL ||
		strcmp(known->starting_sequence_number,
			   listed->starting_sequence_number) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("stream \"%s\" was created anew while it was read",
					reader->stream.name)));
}

/* Add those of the shards that are not known to found. */
static void
keep_new(StreamReader *reader, List *shards)
{
	MemoryContext old;
	ListCell   *cell;

	if (reader->found == NIL)
		MemoryContextReset(reader->found_cxt);
	old = MemoryContextSwitchTo(reader->found_cxt);
	foreach(cell, shards)
	{
		const KinesisShard *shard = lfirst(cell);
		ReaderShard *known = stream_find_shard(reader, shard->shard_id);

		if (known != NULL)
			check_beginning(reader, &known->shard, shard);
		else if (!stream_is_known(reader, shard->shard_id))
			reader->found = lappend(reader->found, kinesis_shard_copy(shard));
	}
	MemoryContextSwitchTo(old);
}

/*
 * A listing failed.  If the fault may pass, list again after a back-off, while
 * reading goes on; raise any other fault.
 */
static void
listing_failed(StreamReader *reader, const AwsError *error)
{
	if (error->class != AWS_ERROR_EXPIRED_TOKEN &&
		error->class != AWS_ERROR_THROTTLE && error->class != AWS_ERROR_RETRY)
		aws_error_raise(error, psprintf("list the shards of stream \"%s\"",
										reader->stream.name));
	shard_pace_failed(&reader->list_pace, clock_now_ms(), error);
	reader->list_due_ms = 0;
}

void
stream_listing_finish(StreamReader *reader, AwsCall *call)
{
	const AwsError *error = aws_call_error(call);
	List	   *shards = NIL;
	char	   *token;

	reader->list_call = NULL;
	if (error != NULL)
	{
		listing_failed(reader, error);
		aws_call_close(call);
		return;
	}

	token = kinesis_list_shards_end(&reader->stream, call, &shards);
	keep_new(reader, shards);
	if (token != NULL)
		reader->list_call = kinesis_list_shards_begin(&reader->stream, token,
													  reader);
	shard_pace_answered(&reader->list_pace, clock_now_ms(), 0);
}

/* Kinesis names the children in the last answer; some emulators do not. */
void
stream_listing_children(StreamReader *reader, List *children)
{
	if (reader->options.list_interval_ms == 0)
		return;
	if (children == NIL)
		reader->list_due_ms = 0;
	else
		keep_new(reader, children);
}

List *
stream_reader_found(StreamReader *reader)
{
	List	   *found;

	/*
	 * the parent of a child found here may be in a page that has not come yet
	 */
	if (reader->list_call != NULL)
		return NIL;
	found = reader->found;
	reader->found = NIL;
	return found;
}
