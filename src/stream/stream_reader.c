/*
 * stream_reader.c
 *	  Reading all shards of a stream over one client.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "stream/stream_reader.h"
#include "utils/memutils.h"

/* A shard that failed this often in a row is worth a word. */
#define TROUBLE_ATTEMPTS 3

static uint32 poll_wait_event = 0;

/* A shard, and what of it was handed out. */
typedef struct ReaderShard
{
	ShardReader *reader;
	KinesisShard shard;
	StreamPosition handed_out;	/* behind the last record of a batch */
	int64		handed_behind;	/* millis_behind that the last batch told */
	int			in_batch;		/* index into the open batch's shards, or -1 */
	int			n_pages;		/* in the queue */
} ReaderShard;

/* A page that waits to be handed out. */
typedef struct QueuedPage
{
	dlist_node	node;
	ReaderShard *shard;
	KinesisPage *page;
	int			next;			/* first record not handed out */
} QueuedPage;

struct StreamReader
{
	MemoryContext cxt;
	const KinesisStream *stream;
	StreamReaderOptions options;
	ReaderShard **shards;
	int			n_shards;
	int			allocated;

	dlist_head	queue;			/* of QueuedPage, in order of arrival */
	int64		queued_records;
	size_t		queued_bytes;	/* of the queue */
	size_t		kept_bytes;		/* of the queue and of batches handed out */
	size_t		coming_bytes;	/* expected of calls under way */
	int64		oldest_ms;		/* when the queue's first page came */
	KinesisPage *finished_page; /* its last record was handed out by next() */
	bool		wants_listing;
	bool		released;		/* no shard waits for a parent that is read */
};

StreamReader *
stream_reader_open(MemoryContext cxt, const KinesisStream *stream,
				   const StreamReaderOptions *options)
{
	StreamReader *reader = MemoryContextAllocZero(cxt, sizeof(StreamReader));

	reader->cxt = cxt;
	reader->stream = stream;
	reader->options = *options;
	reader->allocated = 8;
	reader->shards = MemoryContextAlloc(cxt, sizeof(ReaderShard *) *
										reader->allocated);
	dlist_init(&reader->queue);
	return reader;
}

static char *
copy_or_null(const char *text)
{
	return text == NULL ? NULL : pstrdup(text);
}

static ReaderShard *
find_shard(const StreamReader *reader, const char *shard_id)
{
	for (int i = 0; i < reader->n_shards; i++)
	{
		if (strcmp(reader->shards[i]->shard.shard_id, shard_id) == 0)
			return reader->shards[i];
	}
	return NULL;
}

void
stream_reader_add(StreamReader *reader, const KinesisShard *shard,
				  const StreamPosition *from)
{
	MemoryContext old;
	ReaderShard *added;

	if (find_shard(reader, shard->shard_id) != NULL)
		return;

	old = MemoryContextSwitchTo(reader->cxt);
	added = palloc0(sizeof(ReaderShard));
	added->shard.shard_id = pstrdup(shard->shard_id);
	added->shard.parent_shard_id = copy_or_null(shard->parent_shard_id);
	added->shard.adjacent_parent_shard_id =
		copy_or_null(shard->adjacent_parent_shard_id);
	added->shard.ending_sequence_number =
		copy_or_null(shard->ending_sequence_number);
	added->handed_out = *from;
	added->in_batch = -1;
	added->reader = shard_reader_open(reader->cxt, reader->stream,
									  &added->shard, from,
									  reader->options.until);
	if (reader->n_shards == reader->allocated)
	{
		reader->allocated *= 2;
		reader->shards = repalloc(reader->shards,
								  sizeof(ReaderShard *) * reader->allocated);
	}
	reader->shards[reader->n_shards++] = added;
	reader->released = false;
	MemoryContextSwitchTo(old);
}

int
stream_reader_shards(const StreamReader *reader)
{
	return reader->n_shards;
}

bool
stream_reader_wants_listing(const StreamReader *reader)
{
	return reader->wants_listing;
}

void
stream_reader_listed(StreamReader *reader)
{
	reader->wants_listing = false;
}

/* A parent that the reader does not know has expired: it is read. */
static bool
parent_is_read(const StreamReader *reader, const char *shard_id)
{
	ReaderShard *parent;

	if (shard_id == NULL)
		return true;
	parent = find_shard(reader, shard_id);
	return parent == NULL || shard_reader_state(parent->reader) == SHARD_DONE;
}

/* Let shards begin whose parents are read. */
static void
release_children(StreamReader *reader)
{
	if (reader->released)
		return;
	reader->released = true;
	for (int i = 0; i < reader->n_shards; i++)
	{
		ReaderShard *shard = reader->shards[i];

		if (shard_reader_state(shard->reader) == SHARD_WAITING &&
			parent_is_read(reader, shard->shard.parent_shard_id) &&
			parent_is_read(reader, shard->shard.adjacent_parent_shard_id))
			shard_reader_release(shard->reader);
	}
}

/*
 * May this shard ask for more?  One page ahead of what was handed out, and
 * within the budget; when nothing is kept or coming, one answer is allowed
 * whatever its size.
 */
static bool
may_ask(const StreamReader *reader, const ReaderShard *shard)
{
	size_t		used = reader->kept_bytes + reader->coming_bytes;

	if (shard_reader_state(shard->reader) != SHARD_READY)
		return true;
	if (shard->n_pages > 1)
		return false;
	return used == 0 ||
		used + shard_reader_expected_bytes(shard->reader) <=
		reader->options.budget_bytes;
}

/*
 * Start what is due and allowed.  Returns milliseconds until the next shard
 * is due, -1 if none will be before a call ends or pages are handed out.
 */
static long
start_calls(StreamReader *reader)
{
	int64		now_ms = clock_now_ms();
	long		next = -1;

	release_children(reader);
	for (int i = 0; i < reader->n_shards; i++)
	{
		ReaderShard *shard = reader->shards[i];
		long		due = shard_reader_due(shard->reader, now_ms);

		if (due > 0)
			next = next < 0 ? due : Min(next, due);
		else if (due == 0 && may_ask(reader, shard))
		{
			shard_reader_start(shard->reader, now_ms,
							   Min(reader->options.batch_rows,
								   KINESIS_GET_RECORDS_LIMIT));
			if (shard_reader_state(shard->reader) == SHARD_RECORDS_CALL)
				reader->coming_bytes +=
					shard_reader_expected_bytes(shard->reader);
		}
	}
	return next;
}

/* The shard whose reader started a call. */
static ReaderShard *
shard_of_call(AwsCall *call)
{
	const KinesisShard *shard = shard_reader_shard(aws_call_owner(call));

	return (ReaderShard *) ((char *) shard - offsetof(ReaderShard, shard));
}

/*
 * A shard at its tip is asked again with all the others, at the next multiple
 * of the poll interval, so that their records come as one batch.
 */
static void
postpone_to_next_poll(StreamReader *reader, ReaderShard *shard)
{
	long		poll_ms = reader->options.poll_ms;

	shard_reader_postpone(shard->reader,
						  (clock_now_ms() / poll_ms + 1) * poll_ms);
}

/* Take a call that finished. */
static void
finish_call(StreamReader *reader, AwsCall *call)
{
	ReaderShard *shard = shard_of_call(call);
	ShardState	before = shard_reader_state(shard->reader);
	size_t		expected = shard_reader_expected_bytes(shard->reader);
	KinesisPage *page = shard_reader_finish(shard->reader, call);
	ShardState	after = shard_reader_state(shard->reader);

	/* a tip's call leaves the shard's own under way */
	if (before == SHARD_RECORDS_CALL && after != SHARD_RECORDS_CALL)
	{
		reader->coming_bytes -= expected;
		if (shard_reader_ended(shard->reader))
			reader->wants_listing = true;
		reader->released = false;
		if (after == SHARD_READY && shard_reader_at_tip(shard->reader))
			postpone_to_next_poll(reader, shard);
	}
	if (page != NULL)
	{
		QueuedPage *queued = MemoryContextAlloc(reader->cxt,
												sizeof(QueuedPage));

		queued->shard = shard;
		queued->page = page;
		queued->next = 0;
		if (dlist_is_empty(&reader->queue))
			reader->oldest_ms = clock_now_ms();
		dlist_push_tail(&reader->queue, &queued->node);
		shard->n_pages++;
		reader->queued_records += page->n_records;
		reader->queued_bytes += page->bytes;
		reader->kept_bytes += page->bytes;
	}
}

/*
 * Wait at most timeout_ms (-1: no limit) for a call to finish, and take all
 * that have.  True if any had.
 */
static bool
receive(StreamReader *reader, long timeout_ms)
{
	AwsClient  *aws = reader->stream->aws;
	AwsCall    *call = aws_client_wait(aws, timeout_ms);
	bool		any = false;

	if (call == NULL && timeout_ms > 0 && aws_client_idle(aws))
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

void
stream_reader_drive(StreamReader *reader)
{
	start_calls(reader);
	receive(reader, 0);
}

bool
stream_reader_at_end(const StreamReader *reader)
{
	if (!dlist_is_empty(unconstify(dlist_head *, &reader->queue)))
		return false;
	for (int i = 0; i < reader->n_shards; i++)
	{
		if (shard_reader_state(reader->shards[i]->reader) != SHARD_DONE)
			return false;
	}
	return true;
}

const AwsError *
stream_reader_trouble(const StreamReader *reader, const char **shard_id)
{
	for (int i = 0; i < reader->n_shards; i++)
	{
		const AwsError *trouble =
			shard_reader_trouble(reader->shards[i]->reader);

		if (trouble != NULL && trouble->attempts >= TROUBLE_ATTEMPTS)
		{
			*shard_id = reader->shards[i]->shard.shard_id;
			return trouble;
		}
	}
	return NULL;
}

/* Forget a page that a scan has gone through. */
static void
drop_page(StreamReader *reader, KinesisPage *page)
{
	reader->kept_bytes -= page->bytes;
	kinesis_page_free(page);
}

/* Take the next n records of the first page; true if the page is used up. */
static bool
take_records(StreamReader *reader, QueuedPage *queued, int n)
{
	KinesisPage *page = queued->page;

	queued->next += n;
	reader->queued_records -= n;
	if (queued->next < page->n_records)
		return false;
	reader->queued_bytes -= page->bytes;
	queued->shard->n_pages--;
	dlist_delete(&queued->node);
	pfree(queued);
	return true;
}

bool
stream_reader_next(StreamReader *reader, StreamRecord *record)
{
	QueuedPage *queued;
	KinesisPage *page;

	if (reader->finished_page != NULL)
	{
		drop_page(reader, reader->finished_page);
		reader->finished_page = NULL;
		/* the next page comes while this one is worked on */
		stream_reader_drive(reader);
	}
	while (dlist_is_empty(&reader->queue))
	{
		if (stream_reader_at_end(reader))
			return false;
		receive(reader, start_calls(reader));
		CHECK_FOR_INTERRUPTS();
	}

	queued = dlist_head_element(QueuedPage, node, &reader->queue);
	page = queued->page;
	record->stream = reader->stream->name;
	record->shard_id = queued->shard->shard.shard_id;
	record->record = &page->records[queued->next];
	record->ordinal = 0;
	if (take_records(reader, queued, 1))
		reader->finished_page = page;
	return true;
}

static bool
batch_is_full(const StreamReader *reader)
{
	return reader->queued_records >= reader->options.batch_rows ||
		reader->queued_bytes >= reader->options.budget_bytes / 2;
}

/* A shard has news that are no records: it ended, or caught up. */
static bool
has_news(const ReaderShard *shard)
{
	if (shard->n_pages > 0)
		return false;
	if (shard_reader_ended(shard->reader))
		return shard->handed_out.kind != POSITION_SHARD_END;
	return shard->handed_behind > 0 && shard_reader_at_tip(shard->reader);
}

static bool
any_news(const StreamReader *reader)
{
	for (int i = 0; i < reader->n_shards; i++)
	{
		if (has_news(reader->shards[i]))
			return true;
	}
	return false;
}

/* Index of a shard among those of the batch; added if it is not there. */
static int
batch_shard(Batch *batch, ReaderShard *shard)
{
	BatchShard *entry;

	if (shard->in_batch >= 0)
		return shard->in_batch;
	shard->in_batch = batch->n_shards++;
	entry = &batch->shards[shard->in_batch];
	entry->shard_id = pstrdup(shard->shard.shard_id);
	entry->from = shard->handed_out;
	entry->to = shard->handed_out;
	return shard->in_batch;
}

/* Move up to n records of the first page of the queue into the batch. */
static void
add_slice(StreamReader *reader, Batch *batch, int n)
{
	QueuedPage *queued = dlist_head_element(QueuedPage, node, &reader->queue);
	ReaderShard *shard = queued->shard;
	BatchSlice *slice = &batch->slices[batch->n_slices++];
	BatchShard *entry;

	slice->shard = batch_shard(batch, shard);
	slice->page = queued->page;
	slice->first = queued->next;
	slice->n_records = Min(n, queued->page->n_records - queued->next);

	entry = &batch->shards[slice->shard];
	for (int i = 0; i < slice->n_records; i++)
	{
		const KinesisRecord *record = &slice->page->records[slice->first + i];

		entry->bytes += kinesis_record_bytes(record);
		entry->last_arrival = Max(entry->last_arrival, record->arrived);
	}
	entry->n_records += slice->n_records;
	position_after_record(&entry->to,
						  &slice->page->records[slice->first +
												slice->n_records - 1]);
	batch->n_records += slice->n_records;
	batch->bytes += slice->page->bytes * slice->n_records /
		slice->page->n_records;
	slice->last_of_page = take_records(reader, queued, slice->n_records);
}

/* Positions of the shards of a batch, once its records are in. */
static void
close_batch(StreamReader *reader, Batch *batch)
{
	for (int i = 0; i < reader->n_shards; i++)
	{
		ReaderShard *shard = reader->shards[i];
		BatchShard *entry;

		if (has_news(shard))
			batch_shard(batch, shard);
		if (shard->in_batch < 0)
			continue;
		entry = &batch->shards[shard->in_batch];
		entry->millis_behind_latest =
			shard_reader_millis_behind(shard->reader);
		if (shard->n_pages == 0 && shard_reader_ended(shard->reader))
			entry->to.kind = POSITION_SHARD_END;
		shard->handed_out = entry->to;
		shard->handed_behind = entry->millis_behind_latest;
		shard->in_batch = -1;
	}
}

static int
count_pages(const StreamReader *reader)
{
	int			n = 0;
	dlist_iter	iter;

	dlist_foreach(iter, unconstify(dlist_head *, &reader->queue))
		n++;
	return n;
}

static Batch *
make_batch(StreamReader *reader)
{
	MemoryContext cxt = AllocSetContextCreate(reader->cxt,
											  "tracking_fdw batch",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	Batch	   *batch = palloc0(sizeof(Batch));

	batch->cxt = cxt;
	batch->stream = reader->stream->name;
	batch->shards = palloc0(sizeof(BatchShard) * Max(reader->n_shards, 1));
	batch->slices = palloc(sizeof(BatchSlice) *
						   Max(count_pages(reader), 1));
	while (!dlist_is_empty(&reader->queue) &&
		   batch->n_records < reader->options.batch_rows)
		add_slice(reader, batch,
				  reader->options.batch_rows - (int) batch->n_records);
	close_batch(reader, batch);
	reader->oldest_ms = clock_now_ms();
	MemoryContextSwitchTo(old);
	return batch;
}

Batch *
stream_reader_next_batch(StreamReader *reader)
{
	Batch	   *batch;

	while (!batch_is_full(reader))
	{
		bool		empty = dlist_is_empty(&reader->queue);
		long		timeout_ms = start_calls(reader);

		if (aws_client_idle(reader->stream->aws))
		{
			if (!empty || any_news(reader))
				break;
			if (stream_reader_at_end(reader))
				return NULL;
		}
		if (!empty)
		{
			long		left_ms = reader->oldest_ms +
				reader->options.max_latency_ms - clock_now_ms();

			if (left_ms <= 0)
				break;
			timeout_ms = timeout_ms < 0 ? left_ms : Min(timeout_ms, left_ms);
		}
		if (!receive(reader, timeout_ms) && empty)
			return NULL;
	}

	batch = make_batch(reader);
	/* ask for what comes next while this batch is applied */
	stream_reader_drive(reader);
	return batch;
}

void
stream_reader_release(StreamReader *reader, Batch *batch)
{
	for (int i = 0; i < batch->n_slices; i++)
	{
		if (batch->slices[i].last_of_page)
			reader->kept_bytes -= batch->slices[i].page->bytes;
	}
	batch_free(batch);
}
