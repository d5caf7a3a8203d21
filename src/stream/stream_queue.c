/*
 * stream_queue.c
 *	  The queue of pages, which are handed out as records or as batches.
 */
#include "postgres.h"

#include "base/clock.h"
#include "datatype/timestamp.h"
#include "stream/stream_private.h"
#include "utils/memutils.h"

/*
 * How often a batch confirms the position of an idle shard, so that after a
 * long outage a worker knows until when the shard was read.
 */
#define CONFIRM_INTERVAL_US USECS_PER_HOUR

void
stream_queue_init(StreamReader *reader)
{
	dlist_init(&reader->queue);
	dlist_init(&reader->news);
	dlist_init(&reader->used);
}

void
stream_queue_add(StreamReader *reader, ReaderShard *shard, KinesisPage *page)
{
	QueuedPage *queued = MemoryContextAlloc(reader->cxt, sizeof(QueuedPage));

	queued->shard = shard;
	queued->page = page;
	queued->gap = shard->gap;
	queued->read_until = shard_reader_read_until(shard->reader);
	queued->tip_at = shard_reader_tip_at(shard->reader);
	queued->fresh = shard_reader_millis_behind(shard->reader) <
		reader->options.max_latency_ms;
	queued->n_left = page->n_left;
	queued->unpack = page->aggregates == NULL ? NULL :
		kinesis_unpack_open(reader->cxt, page);
	shard->gap = NULL;
	shard->n_pages++;
	if (dlist_is_empty(&reader->queue))
		reader->oldest_ms = clock_now_ms();
	dlist_push_tail(&reader->queue, &queued->node);
	reader->n_queued++;
	reader->n_fresh += queued->fresh ? 1 : 0;
	reader->queued_records += page->n_left;
	reader->queued_bytes += page->bytes;
	reader->kept_bytes += page->bytes;
}

/*
 * Did the last batch tell that the shard is late, while an answer has come
 * since by which it may be so no longer?
 */
static bool
may_have_caught_up(const ReaderShard *shard)
{
	return shard->late_since != 0 &&
		shard_reader_tip_at(shard->reader) > shard->handed_tip;
}

/*
 * Must the next batch hold the shard's position, even if it has no record of
 * it?  It must if the shard ended, has a gap, caught up, or was idle for long.
 * A shard with pages in the queue gets into the batch with them.
 */
static bool
has_news(const StreamReader *reader, const ReaderShard *shard)
{
	const ShardReader *shard_reader = shard->reader;

	if (shard->n_pages > 0)
		return false;
	if (shard_reader_ended(shard_reader))
		return shard->handed_out.kind != POSITION_SHARD_END;
	if (shard->gap != NULL)
		return true;
	return shard_reader_at_tip(shard_reader) &&
		(shard->handed_behind != 0 || may_have_caught_up(shard) ||
		 (reader->retention_us > 0 &&
		  shard_reader_read_until(shard_reader) - shard->handed_until >
		  CONFIRM_INTERVAL_US));
}

void
stream_queue_look(StreamReader *reader, ReaderShard *shard)
{
	bool		news = has_news(reader, shard);

	if (news == shard->has_news)
		return;
	shard->has_news = news;
	reader->n_news += news ? 1 : -1;
	if (news)
		dlist_push_tail(&reader->news, &shard->news_node);
	else
		dlist_delete(&shard->news_node);
}

/*
 * The next n records of a page, which has as many.  If the page has aggregates
 * they are put into unpacked.
 */
static KinesisRecord *
page_records(const QueuedPage *queued, KinesisRecord *unpacked, int n)
{
	const KinesisPage *page = queued->page;

	if (queued->unpack == NULL)
		return &page->records[page->n_records - queued->n_left];
	kinesis_unpack_next(queued->unpack, unpacked, n);
	return unpacked;
}

/*
 * Count the next n records of a page as handed out.  True if it has no more:
 * then it is removed from the queue, and the caller frees it.
 */
static bool
pass_records(StreamReader *reader, QueuedPage *queued, int n)
{
	KinesisPage *page = queued->page;
	ReaderShard *shard = queued->shard;

	queued->n_left -= n;
	reader->queued_records -= n;
	if (queued->n_left > 0)
		return false;
	if (queued->unpack != NULL)
		kinesis_unpack_close(queued->unpack);
	reader->queued_bytes -= page->bytes;
	reader->n_queued--;
	reader->n_fresh -= queued->fresh ? 1 : 0;
	shard->n_pages--;
	dlist_delete(&queued->node);
	pfree(queued);
	stream_queue_look(reader, shard);
	if (shard->place == PLACE_NONE)
	{
		shard->place = PLACE_USED;
		dlist_push_tail(&reader->used, &shard->place_node);
	}
	return true;
}

bool
stream_queue_next(StreamReader *reader, StreamRecord *record)
{
	QueuedPage *queued;
	KinesisPage *page;

	if (dlist_is_empty(&reader->queue))
		return false;
	queued = dlist_head_element(QueuedPage, node, &reader->queue);
	page = queued->page;
	record->stream = reader->stream.name;
	record->shard_id = queued->shard->shard.shard_id;
	record->record = page_records(queued, &reader->sub_record, 1);
	record->ordinal = 0;
	if (pass_records(reader, queued, 1))
		reader->finished_page = page;
	return true;
}

/* ----------------------------------------------------------------
 * Batches
 * ---------------------------------------------------------------- */

/* A batch that is being made. */
typedef struct OpenBatch
{
	Batch	   *batch;
	ReaderShard **shards;		/* parallel to batch->shards */
	int			max_unpacked;	/* how many more records may be unpacked */
} OpenBatch;

/* The entry of a shard in batch->shards; added if it is not there. */
static BatchShard *
batch_shard(OpenBatch *open, ReaderShard *shard)
{
	Batch	   *batch = open->batch;
	BatchShard *entry;

	if (shard->in_batch >= 0)
		return &batch->shards[shard->in_batch];
	shard->in_batch = batch->n_shards++;
	open->shards[shard->in_batch] = shard;
	entry = &batch->shards[shard->in_batch];
	entry->shard_id = pstrdup(shard->shard.shard_id);
	entry->from = shard->handed_out;
	entry->to = shard->handed_out;
	entry->read_until = shard->handed_until;
	entry->tip_at = shard->handed_tip;
	return entry;
}

/* Move *gap into the batch; frees it. */
static void
add_gap(Batch *batch, StreamGap **gap)
{
	StreamGap  *copy;

	if (*gap == NULL)
		return;
	copy = palloc(sizeof(StreamGap));
	*copy = **gap;
	batch->gaps = lappend(batch->gaps, copy);
	pfree(*gap);
	*gap = NULL;
}

/* How many of a page's records the batch has room for. */
static int
wanted_records(const StreamReader *reader, const OpenBatch *open,
			   const QueuedPage *queued)
{
	int64		n = reader->options.batch_rows - open->batch->n_records;

	if (queued->unpack != NULL)
		n = Min(n, open->max_unpacked);
	return Min(n, queued->n_left);
}

/* Move n records of the first page of the queue into the batch. */
static void
add_slice(StreamReader *reader, OpenBatch *open, QueuedPage *queued, int n)
{
	Batch	   *batch = open->batch;
	BatchShard *entry = batch_shard(open, queued->shard);
	BatchSlice *slice = &batch->slices[batch->n_slices++];
	TimestampTz read_until = queued->read_until;
	TimestampTz tip_at = queued->tip_at;
	KinesisRecord *unpacked = NULL;

	if (queued->unpack != NULL)
	{
		unpacked = MemoryContextAllocHuge(batch->cxt,
										  n * sizeof(KinesisRecord));
		open->max_unpacked -= n;
	}
	slice->shard = queued->shard->in_batch;
	slice->page = queued->page;
	slice->records = page_records(queued, unpacked, n);
	slice->n_records = n;
	add_gap(batch, &queued->gap);
	batch_count_slice(batch, slice, batch->n_records);
	batch->n_records += n;
	batch->bytes += slice->page->bytes * n / slice->page->n_left;
	slice->last_of_page = pass_records(reader, queued, n);
	if (slice->last_of_page)
	{
		entry->read_until = read_until;
		entry->tip_at = tip_at;
	}
}

/* Move records into the batch until it is full or there are no more. */
static void
add_slices(StreamReader *reader, OpenBatch *open)
{
	while (!dlist_is_empty(&reader->queue))
	{
		QueuedPage *queued = dlist_head_element(QueuedPage, node,
												&reader->queue);
		int			n = wanted_records(reader, open, queued);

		if (n == 0)
			return;
		add_slice(reader, open, queued, n);
	}
}

/* Set what the batch tells of its shards, and of those with news. */
static void
close_batch(StreamReader *reader, OpenBatch *open)
{
	Batch	   *batch = open->batch;
	dlist_iter	iter;

	dlist_foreach(iter, &reader->news)
		batch_shard(open, dlist_container(ReaderShard, news_node, iter.cur));
	for (int i = 0; i < batch->n_shards; i++)
	{
		ReaderShard *shard = open->shards[i];
		BatchShard *entry = &batch->shards[i];

		entry->millis_behind_latest =
			shard_reader_millis_behind(shard->reader);
		/* the tip is after the pages that are left in the queue */
		if (shard->n_pages > 0 && entry->millis_behind_latest == 0)
			entry->millis_behind_latest = -1;
		if (shard->n_pages == 0)
		{
			entry->tip_at = shard_reader_tip_at(shard->reader);
			add_gap(batch, &shard->gap);
			entry->read_until = shard_reader_read_until(shard->reader);
			if (shard_reader_ended(shard->reader))
				entry->to.kind = POSITION_SHARD_END;
		}
		entry->late_since =
			batch_late_since(shard->late_since, shard->handed_tip,
							 entry->tip_at, reader->options.max_latency_ms);
		if (shard->batch_no <= reader->released_no)
			shard->applied_tip = shard->handed_tip;
		shard->batch_no = reader->batch_no;
		shard->handed_tip = entry->tip_at;
		shard->late_since = entry->late_since;
		shard->handed_out = entry->to;
		shard->handed_behind = entry->millis_behind_latest;
		shard->handed_until = entry->read_until;
		shard->in_batch = -1;
		stream_queue_look(reader, shard);
	}
}

Batch *
stream_queue_batch(StreamReader *reader)
{
	MemoryContext cxt = AllocSetContextCreate(reader->cxt,
											  "tracking_fdw batch",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	Batch	   *batch = palloc0(sizeof(Batch));
	OpenBatch	open = {.batch = batch};
	int			max_shards;

	/* a shard has news, or its last page is used up and leaves news */
	max_shards = reader->n_queued + reader->n_news;
	batch->cxt = cxt;
	batch->stream = reader->stream.name;
	batch->shards = palloc0(sizeof(BatchShard) * Max(max_shards, 1));
	batch->slices = palloc(sizeof(BatchSlice) * Max(reader->n_queued, 1));
	open.shards = palloc(sizeof(ReaderShard *) * Max(max_shards, 1));
	open.max_unpacked = Max(1, reader->options.budget_bytes / 2 /
							sizeof(KinesisRecord));
	reader->batch_no++;
	add_slices(reader, &open);
	close_batch(reader, &open);
	batch_restrict(batch, 0, batch->n_records);
	if (batch->n_records > 0)
		batch->fetch_ms = clock_now_ms() - reader->oldest_ms;
	reader->oldest_ms = clock_now_ms();
	MemoryContextSwitchTo(old);
	return batch;
}
