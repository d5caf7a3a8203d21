/*
 * stream_reader.c
 *	  Reading all shards of a stream over one client.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "stream/stream_private.h"
#include "utils/memutils.h"

/*
 * How long a batch whose records are all late waits for shards that are due
 * soon, as a small batch costs nearly as much as a large one.  No shard is
 * slowed down: each may be read two pages ahead, which is more than its
 * allowance yields in that time.
 */
#define GATHER_MS 200

static uint32 poll_wait_event = 0;

StreamReader *
stream_reader_open(MemoryContext cxt, const KinesisStream *stream,
				   const StreamReaderOptions *options)
{
	StreamReader *reader = MemoryContextAllocZero(cxt, sizeof(StreamReader));

	reader->cxt = cxt;
	reader->budget.max_bytes = options->budget_bytes;
	reader->stream = *stream;
	reader->stream.budget = &reader->budget;
	reader->options = *options;
	stream_shards_init(reader);
	stream_schedule_init(reader);
	stream_queue_init(reader);
	stream_reach_init(reader);
	stream_listing_init(reader);
	return reader;
}

void
stream_reader_leave(StreamReader *reader, const KinesisShard *shard)
{
	stream_leave_shard(reader, shard->shard_id);
}

void
stream_reader_add(StreamReader *reader, const KinesisShard *shard,
				  const StreamPosition *from, TimestampTz read_until)
{
	MemoryContext old;
	ReaderShard *added;
	KinesisShard *copy;

	if (stream_find_shard(reader, shard->shard_id) != NULL)
		return;

	old = MemoryContextSwitchTo(reader->cxt);
	added = palloc0(sizeof(ReaderShard));
	copy = kinesis_shard_copy(shard);
	added->shard = *copy;
	pfree(copy);
	added->handed_out = *from;
	added->handed_until = read_until;
	added->handed_behind = -1;
	added->in_batch = -1;
	added->reader = shard_reader_open(reader->cxt, &reader->stream,
									  &added->shard, from, read_until,
									  reader->retention_us,
									  reader->options.until);
	stream_own_shard(reader, added);
	if (shard_reader_state(added->reader) != SHARD_DONE)
		reader->n_open++;
	stream_schedule(reader, added);
	reader->released = false;
	MemoryContextSwitchTo(old);
}

void
stream_reader_set_retention(StreamReader *reader, int64 retention_us)
{
	reader->retention_us = retention_us;
}

void
stream_reader_set_budget(StreamReader *reader, size_t budget_bytes)
{
	reader->options.budget_bytes = budget_bytes;
	reader->budget.max_bytes = budget_bytes;
}

int
stream_reader_shards(const StreamReader *reader)
{
	return reader->n_shards;
}

/* The shard whose reader owns a call. */
static ReaderShard *
shard_of_call(AwsCall *call)
{
	const KinesisShard *shard = shard_reader_shard(aws_call_owner(call));

	return (ReaderShard *) ((char *) shard - offsetof(ReaderShard, shard));
}

/* Take a finished call of a shard, or of a listing. */
static void
finish_call(StreamReader *reader, AwsCall *call)
{
	ReaderShard *shard;
	KinesisPage *page;
	bool		ended;

	if (call == reader->list_call)
	{
		stream_listing_finish(reader, call);
		return;
	}

	shard = shard_of_call(call);
	ended = shard_reader_ended(shard->reader);
	page = stream_finish_call(reader, shard, call);
	if (shard->gap == NULL)
		shard->gap = shard_reader_take_gap(shard->reader);
	if (!ended && shard_reader_ended(shard->reader))
		stream_listing_children(reader, page == NULL ? NIL :
								page->child_shards);
	if (page != NULL && page->n_left > 0)
		stream_queue_add(reader, shard, page);
	else if (page != NULL)
		kinesis_page_free(page);
	stream_tip_look(reader, shard);
	stream_queue_look(reader, shard);
	stream_schedule(reader, shard);
}

/*
 * Wait at most timeout_ms (-1: no limit) for a call to finish, and take all
 * that have finished.  True if any had.
 */
static bool
receive(StreamReader *reader, long timeout_ms)
{
	AwsClient  *aws = reader->stream.aws;
	AwsCall    *call = aws_client_wait(aws, timeout_ms);
	bool		any = false;

	if (call == NULL && timeout_ms != 0 && aws_client_idle(aws))
		clock_wait(timeout_ms,
				   compat_wait_event(&poll_wait_event, "TrackingFdwPoll"));
	while (call != NULL)
	{
		finish_call(reader, call);
		any = true;
		call = aws_client_wait(aws, 0);
	}
	return any;
}

/*
 * Start the calls that are due and allowed, for shards and listings.  Returns
 * the same as stream_start_calls().
 */
static long
start_calls(StreamReader *reader)
{
	long		listing_ms = stream_listing_start(reader, clock_now_ms());
	long		shards_ms = stream_start_calls(reader);

	if (listing_ms < 0 || shards_ms < 0)
		return Max(listing_ms, shards_ms);
	return Min(listing_ms, shards_ms);
}

/*
 * Schedule the shards of which a page was used up: they may have had as many
 * pages in the queue as they may have.
 */
static void
schedule_used(StreamReader *reader)
{
	while (!dlist_is_empty(&reader->used))
		stream_schedule(reader, dlist_head_element(ReaderShard, place_node,
												   &reader->used));
}

void
stream_reader_drive(StreamReader *reader)
{
	start_calls(reader);
	receive(reader, 0);
}

bool
stream_reader_at_end(const StreamReader *reader)
{
	return reader->n_open == 0 &&
		dlist_is_empty(unconstify(dlist_head *, &reader->queue));
}

bool
stream_reader_caught_up(const StreamReader *reader)
{
	dlist_iter	iter;

	if (!dlist_is_empty(unconstify(dlist_head *, &reader->queue)) ||
		reader->n_lost > 0)
		return false;
	dlist_foreach(iter, unconstify(dlist_head *, &reader->own))
	{
		const ReaderShard *shard = dlist_container(ReaderShard, own_node,
												   iter.cur);

		if (shard_reader_state(shard->reader) != SHARD_DONE &&
			!shard_reader_at_tip(shard->reader))
			return false;
	}
	return true;
}

const AwsError *
stream_reader_listing_trouble(const StreamReader *reader)
{
	return reader->list_pace.trouble;
}

List *
stream_reader_tips(const StreamReader *reader)
{
	List	   *tips = NIL;
	dlist_iter	iter;

	dlist_foreach(iter, unconstify(dlist_head *, &reader->own))
	{
		const ReaderShard *shard = dlist_container(ReaderShard, own_node,
												   iter.cur);
		StreamTip  *tip;

		if (shard_reader_ended(shard->reader))
			continue;
		tip = palloc(sizeof(StreamTip));
		tip->shard_id = shard->shard.shard_id;
		tip->tip_at = stream_tip_applied(reader, shard);
		if (tip->tip_at != 0)
			tips = lappend(tips, tip);
	}
	return tips;
}

/* Free a page whose records stream_reader_next() has all handed out. */
static void
drop_page(StreamReader *reader, KinesisPage *page)
{
	reader->kept_bytes -= page->bytes;
	kinesis_page_free(page);
}

bool
stream_reader_next(StreamReader *reader, StreamRecord *record)
{
	if (reader->finished_page != NULL)
	{
		drop_page(reader, reader->finished_page);
		reader->finished_page = NULL;
		schedule_used(reader);
		/* let the next answers come in while the scan works on this page */
		stream_reader_drive(reader);
	}
	while (!stream_queue_next(reader, record))
	{
		if (stream_reader_at_end(reader))
			return false;
		receive(reader, start_calls(reader));
		clock_serve_interrupts();
	}
	return true;
}

static bool
batch_is_full(const StreamReader *reader)
{
	return reader->queued_records >= reader->options.batch_rows ||
		(reader->queued_bytes >= reader->options.budget_bytes / 2 &&
		 reader->queued_records >= reader->options.min_rows);
}

/* Has stream_reader_found() shards to tell of? */
static bool
has_found(const StreamReader *reader)
{
	return reader->found != NIL && reader->list_call == NULL;
}

/*
 * How long to wait when a call is due in due_ms (-1: none) and the caller's
 * time is over in left_ms.  If all shards are idle and the call is due soon
 * after that (within max_wait_ms), wait for the call: waking up is most of
 * what an idle poll costs, and so the process wakes up once instead of twice.
 */
static long
wait_ms(const StreamReader *reader, long due_ms, long left_ms,
		long max_wait_ms)
{
	bool		idle = reader->n_calls == 0 &&
		dlist_is_empty(unconstify(dlist_head *, &reader->queue));

	if (due_ms < 0 || due_ms > left_ms + (idle ? max_wait_ms : 0))
		return left_ms;
	return due_ms;
}

/*
 * The next shard is due in due_ms (-1: none).  Should the batch wait for it,
 * see GATHER_MS?  Not while a call is under way, nor if a record of the batch
 * may still be in time, nor if shards wait for the memory that the batch
 * takes.
 */
static bool
is_gathering(const StreamReader *reader, long due_ms)
{
	return due_ms >= 0 && reader->n_calls == 0 && reader->n_fresh == 0 &&
		dlist_is_empty(unconstify(dlist_head *, &reader->blocked)) &&
		clock_now_ms() + due_ms <= reader->oldest_ms + GATHER_MS;
}

static Batch *
next_batch(StreamReader *reader, long max_wait_ms)
{
	int64		deadline = clock_now_ms() + max_wait_ms;
	Batch	   *batch;

	while (!batch_is_full(reader))
	{
		bool		empty = dlist_is_empty(&reader->queue);
		long		timeout_ms = start_calls(reader);
		long		left_ms = deadline - clock_now_ms();

		/*
		 * close the batch if all calls under way are paused: their answers
		 * come only when the batch has given back its memory
		 */
		if (!empty && reader->n_calls <= reader->budget.n_paused &&
			!is_gathering(reader, timeout_ms))
			break;
		if (reader->n_calls == 0)
		{
			if (reader->n_news > 0)
				break;
			if (reader->options.until == READ_TO_TIP &&
				stream_reader_at_end(reader))
				return NULL;
		}
		if (!empty)
			left_ms = reader->oldest_ms + reader->options.max_latency_ms -
				clock_now_ms();
		if (empty && (left_ms <= 0 || has_found(reader)))
			return NULL;
		if (left_ms <= 0)
			break;
		receive(reader, wait_ms(reader, timeout_ms, left_ms, max_wait_ms));
	}

	batch = stream_queue_batch(reader);
	schedule_used(reader);
	/* let the next answers come in while the caller applies this batch */
	stream_reader_drive(reader);

	/*
	 * Decoding a record may take what these answers leave of the memory. With
	 * READ_TO_TIP it may take all: a record that is refused for want of
	 * memory is not tried a second time.
	 */
	if (reader->options.until == READ_FOREVER)
		batch->kept_bytes = reader->budget.used_bytes;
	return batch;
}

Batch *
stream_reader_next_batch(StreamReader *reader, long max_wait_ms)
{
	Batch	   *batch;

	stream_reach_enter(reader);
	batch = next_batch(reader, max_wait_ms);
	stream_reach_leave(reader);
	stream_probe_lost(reader);
	return batch;
}

void
stream_reader_release(StreamReader *reader, Batch *batch)
{
	reader->released_no = reader->batch_no;
	for (int i = 0; i < batch->n_slices; i++)
	{
		if (batch->slices[i].last_of_page)
			reader->kept_bytes -= batch->slices[i].page->bytes;
	}
	batch_free(batch);
}
