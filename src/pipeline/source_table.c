/*
 * source_table.c
 *	  A table as the source of a pipeline.
 *
 * When a key has become visible, transactions that write to the table at that
 * time may still commit rows with smaller keys.  Once they have ended (see
 * table_writers.h) the rows up to that key are "settled": no row can appear
 * between them any more.  Only settled rows are handed out.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "ledger/checkpoint.h"
#include "pipeline/pipeline_home.h"
#include "pipeline/pipeline_source.h"
#include "pipeline/source_key.h"
#include "pipeline/table_writers.h"
#include "stream/stream_reader.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/*
 * New rows are looked for every quarter of max_latency, within these bounds.
 */
#define LOOK_MIN_MS 100
#define LOOK_MAX_MS 1000
/* The first wait for writers to end; each further one is twice as long. */
#define SETTLE_MIN_MS 10

/* When something was first seen. */
typedef struct Moment
{
	TimestampTz time;
	int64		ms;				/* by clock_now_ms() */
} Moment;

/* A row that waits for the next batch. */
typedef struct PendingRow
{
	SourceRow	row;
	TimestampTz seen;			/* when its key was first known to exist */
} PendingRow;

/* keys: handed_out <= collected <= settled <= newest */
typedef struct TableSource
{
	PipelineSource base;
	char	   *name;
	long		look_ms;		/* between two looks for new rows */
	int64		next_look_ms;	/* when to look, by clock_now_ms() */
	bool		looked;			/* at least once */
	TimestampTz looked_at;		/* when the largest key was last asked for */

	int64		newest;			/* largest key seen */
	Moment		newest_seen;	/* when newest was first seen */
	VirtualTransactionId *writers;	/* at that time, less those found ended */
	int			n_writers;
	long		settle_ms;		/* to the next look whether they have ended */
	int64		settled;		/* rows up to this key are settled */
	Moment		settled_seen;	/* when that key was first seen */

	PendingRow *rows;			/* for the next batch; in rows_cxt */
	MemoryContext rows_cxt;
	int			n_rows;
	int			max_rows;		/* room in rows */
	int64		bytes;			/* of these rows */
	Moment		first_seen;		/* when the first of these rows was seen */
	int64		collected;		/* key up to which rows were collected */
	StreamPosition handed_out;	/* where the last batch ended */
	bool		in_flight;		/* the last batch was not released yet */
	TimestampTz tip_at;			/* tip_at and late_since of the last batch, */
	TimestampTz late_since;		/* see BatchShard; 0: unknown, not late */
} TableSource;

static uint32 look_wait_event = 0;

static void
start_at(TableSource *source, const StreamPosition *position)
{
	source->handed_out = *position;
	source->collected = source_key_of_position(position);
	source->newest = source->settled = source->collected;
}

static bool
table_begin(PipelineSource *base, long max_wait_ms)
{
	TableSource *source = (TableSource *) base;
	const Pipeline *pipeline = base->pipeline;
	KinesisShard shard = {.shard_id = pipeline->source_key};
	MemoryContext old = CurrentMemoryContext;
	List	   *shards;
	const CheckpointShard *checkpoint;

	base->transactions->begin();
	source_key_choose(pipeline->source, pipeline->source_key);
	source_key_check_rows(pipeline);
	shards = list_make1(&shard);
	pipeline_home_check_positions(pipeline);
	checkpoint_add(pipeline->name, shards, &pipeline->start, 0);
	pipeline_home_note_positions(pipeline);
	checkpoint = linitial(checkpoint_load(pipeline->name, shards, -1));
	start_at(source, &checkpoint->position);
	source->late_since = checkpoint->recall.late_since;
	source->tip_at = checkpoint->recall.tip_at;
	base->transactions->commit();
	MemoryContextSwitchTo(old);
	(void) max_wait_ms;			/* a table need not be waited for */
	return true;
}

static int
max_rows(const TableSource *source)
{
	return Max(source->base.pipeline->batch_rows,
			   pipeline_source_min_rows(&source->base));
}

static bool
is_full(const TableSource *source)
{
	return source->n_rows >= max_rows(source) ||
		(source->bytes >= source->base.pipeline->batch_bytes &&
		 source->n_rows >= pipeline_source_min_rows(&source->base));
}

/* Ask for the largest key; if it is new, note who is writing to the table. */
static void
look_for_newest(TableSource *source)
{
	const Pipeline *pipeline = source->base.pipeline;
	TimestampTz asked_at = GetCurrentTimestamp();
	int64		newest = source_key_newest(pipeline);
	MemoryContext old;

	source->looked = true;
	source->looked_at = asked_at;
	if (newest <= source->newest)
		return;
	source->newest = newest;
	source->newest_seen.time = GetCurrentTimestamp();
	source->newest_seen.ms = clock_now_ms();
	source->settle_ms = SETTLE_MIN_MS;
	if (source->writers != NULL)
		pfree(source->writers);
	old = MemoryContextSwitchTo(source->base.cxt);
	source->writers = table_writers_find(pipeline->source,
										 &source->n_writers);
	MemoryContextSwitchTo(old);
}

/*
 * Look for new rows, or whether those that were found have settled.  They are
 * collected in a later transaction, whose snapshot sees them whatever its
 * isolation level is.
 */
static void
look(TableSource *source)
{
	const PipelineTransactions *transactions = source->base.transactions;
	MemoryContext old = CurrentMemoryContext;
	long		next_ms = source->look_ms;

	transactions->begin();
	if (source->newest == source->settled)
		look_for_newest(source);
	else
		source->n_writers = table_writers_drop_ended(source->writers,
													 source->n_writers);
	transactions->commit();
	MemoryContextSwitchTo(old);

	if (source->n_writers == 0)
	{
		source->settled = source->newest;
		source->settled_seen = source->newest_seen;
	}
	else
	{
		next_ms = source->settle_ms;
		source->settle_ms = Min(source->settle_ms * 2, source->look_ms);
	}
	source->next_look_ms = clock_now_ms() + next_ms;
}

/* Add a row to the next batch; rows with the same key are one record. */
static void
add_row(TableSource *source, const SourceRow *row)
{
	source->bytes += row->bytes;
	source->collected = row->key;
	if (source->n_rows > 0 &&
		source->rows[source->n_rows - 1].row.key == row->key)
	{
		source->rows[source->n_rows - 1].row.bytes += row->bytes;
		return;
	}
	if (source->n_rows == 0)
		source->first_seen = source->settled_seen;
	source->rows[source->n_rows].row = *row;
	source->rows[source->n_rows++].seen = source->settled_seen.time;
}

static void
make_room(TableSource *source, int n)
{
	if (source->n_rows + n <= source->max_rows)
		return;
	source->max_rows = source->n_rows + n;
	if (source->rows == NULL)
		source->rows = MemoryContextAlloc(source->rows_cxt,
										  source->max_rows * sizeof(PendingRow));
	else
		source->rows = repalloc(source->rows,
								source->max_rows * sizeof(PendingRow));
}

/* Collect settled rows until the batch is full. */
static void
collect(TableSource *source)
{
	const Pipeline *pipeline = source->base.pipeline;
	const PipelineTransactions *transactions = source->base.transactions;
	MemoryContext old = CurrentMemoryContext;
	int			wanted = max_rows(source) - source->n_rows;
	SourceRow  *rows;
	int			n;
	int			i = 0;

	transactions->begin();
	rows = source_key_list(pipeline, source->collected, source->settled,
						   wanted, &n);
	make_room(source, n);
	while (i < n && !is_full(source))
		add_row(source, &rows[i++]);
	if (i == n && n < wanted)
		source->collected = source->settled;
	transactions->commit();
	MemoryContextSwitchTo(old);
}

/* The last time at which the table had no rows but the collected ones. */
static TimestampTz
tip_at(const TableSource *source)
{
	if (source->collected < source->settled)
		return source->settled_seen.time;
	return source->settled < source->newest ? source->newest_seen.time :
		source->looked_at;
}

/*
 * Was the pipeline late at its last batch, while a look since then has found
 * no more rows?  Then a batch without rows reports that it has caught up.
 */
static bool
may_have_caught_up(const TableSource *source)
{
	return source->late_since != 0 && source->looked &&
		source->collected == source->newest &&
		tip_at(source) > source->tip_at;
}

/* When the collected rows are to become a batch, by clock_now_ms(). */
static int64
due_ms(const TableSource *source)
{
	if (source->n_rows == 0)
		return may_have_caught_up(source) ? 0 : PG_INT64_MAX;
	if (is_full(source) || source->base.until != READ_FOREVER)
		return 0;
	return source->first_seen.ms + source->base.pipeline->max_latency_ms;
}

/* How long the rows that are not in the batch have been waiting. */
static int64
behind_ms(const TableSource *source)
{
	if (source->collected < source->settled)
		return clock_now_ms() - source->settled_seen.ms;
	if (source->settled < source->newest)
		return clock_now_ms() - source->newest_seen.ms;
	return 0;
}

/* Put the collected rows into a batch, allocated in the current context. */
static void
add_rows(const TableSource *source, Batch *batch)
{
	int			n = source->n_rows;
	BatchSlice *slice = palloc0(sizeof(BatchSlice));

	batch->n_records = n;
	batch->keys = palloc(n * sizeof(int64));
	batch->slices = slice;
	batch->n_slices = 1;
	slice->records = palloc0(n * sizeof(KinesisRecord));
	slice->n_records = n;
	for (int i = 0; i < n; i++)
	{
		const PendingRow *pending = &source->rows[i];
		KinesisRecord *record = &slice->records[i];

		batch->keys[i] = pending->row.key;
		record->partition_key = "";
		record->arrived = pending->seen;
		record->data_bytes = Min(pending->row.bytes, PG_UINT32_MAX);
		record->sub_sequence = -1;
		record->decoded = true;
	}
	batch_count_slice(batch, slice, 0);
}

static Batch *
make_batch(TableSource *source)
{
	MemoryContext cxt = AllocSetContextCreate(source->base.cxt,
											  "tracking_fdw batch",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	const Pipeline *pipeline = source->base.pipeline;
	Batch	   *batch = palloc0(sizeof(Batch));

	batch->cxt = cxt;
	batch->stream = source->name;
	batch->shards = palloc0(sizeof(BatchShard));
	batch->n_shards = 1;
	batch->shards[0].shard_id = pipeline->source_key;
	batch->shards[0].from = batch->shards[0].to = source->handed_out;
	batch->shards[0].tip_at = tip_at(source);
	batch->shards[0].late_since =
		batch_late_since(source->late_since, source->tip_at, tip_at(source),
						 pipeline->max_latency_ms);
	batch->shards[0].millis_behind_latest = behind_ms(source);
	if (source->n_rows > 0)
		add_rows(source, batch);
	batch->bytes = source->bytes;
	batch->fetch_ms = clock_now_ms() - source->first_seen.ms;
	batch_restrict(batch, 0, batch->n_records);
	MemoryContextSwitchTo(old);

	source->handed_out = batch->shards[0].to;
	source->in_flight = true;
	source->tip_at = batch->shards[0].tip_at;
	source->late_since = batch->shards[0].late_since;
	source->n_rows = source->bytes = 0;
	return batch;
}

static bool
table_caught_up(const PipelineSource *base)
{
	const TableSource *source = (const TableSource *) base;

	return source->looked && source->collected == source->newest &&
		source->n_rows == 0;
}

static bool
table_at_end(const PipelineSource *base)
{
	return base->until != READ_FOREVER && table_caught_up(base);
}

/* Is another look needed: for new rows, or whether writers have ended? */
static bool
is_looking(const TableSource *source)
{
	return source->settled < source->newest || !source->looked ||
		source->base.until == READ_FOREVER;
}

static Batch *
table_next_batch(PipelineSource *base, long max_wait_ms)
{
	TableSource *source = (TableSource *) base;
	int64		end_ms = clock_now_ms() + max_wait_ms;

	for (;;)
	{
		int64		now_ms = clock_now_ms();

		if (source->collected == source->settled && is_looking(source) &&
			now_ms >= source->next_look_ms)
			look(source);
		while (source->collected < source->settled && !is_full(source))
			collect(source);
		now_ms = clock_now_ms();
		if (now_ms >= due_ms(source))
			return make_batch(source);
		if (now_ms >= end_ms || table_at_end(base))
			return NULL;
		clock_wait(Max(Min(Min(end_ms, due_ms(source)),
						   source->next_look_ms) - now_ms, 1),
				   compat_wait_event(&look_wait_event, "TrackingFdwTable"));
	}
}

static void
table_release(PipelineSource *base, Batch *batch)
{
	((TableSource *) base)->in_flight = false;
	batch_free(batch);
}

/* A dead letter of a table keeps its row as JSON. */
static void
table_complete_rejects(PipelineSource *base, Batch *batch)
{
	ListCell   *cell;

	foreach(cell, batch->rejects)
	{
		const StreamRecord *reject =
			&((const BatchReject *) lfirst(cell))->record;
		char	   *rows = source_key_rows(base->pipeline,
										   batch->keys[reject->ordinal]);

		reject->record->data = rows == NULL ? pstrdup("") : rows;
		reject->record->data_bytes = strlen(reject->record->data);
	}
}

static TimestampTz
table_tip(const PipelineSource *base)
{
	const TableSource *source = (const TableSource *) base;

	return source->collected == source->newest && source->n_rows == 0 &&
		!source->in_flight ? source->looked_at : 0;
}

static List *
table_tips(const PipelineSource *base)
{
	StreamTip  *tip = palloc(sizeof(StreamTip));

	tip->shard_id = base->pipeline->source_key;
	tip->tip_at = table_tip(base);
	return tip->tip_at == 0 ? NIL : list_make1(tip);
}

static void
table_describe(const PipelineSource *base, char *text, size_t size)
{
	const TableSource *source = (const TableSource *) base;

	if (source->settled < source->newest)
		snprintf(text, size,
				 "waiting for %d transactions that write table \"%s\"",
				 source->n_writers, source->name);
	else
		snprintf(text, size, "reading table \"%s\"", source->name);
}

static const PipelineSourceOps table_ops = {
	.begin = table_begin,
	.next_batch = table_next_batch,
	.release = table_release,
	.at_end = table_at_end,
	.caught_up = table_caught_up,
	.complete_rejects = table_complete_rejects,
	.tip = table_tip,
	.tips = table_tips,
	.describe = table_describe
};

PipelineSource *
source_table_open(const PipelineSource *base)
{
	TableSource *source = MemoryContextAllocZero(base->cxt,
												 sizeof(TableSource));

	source->base = *base;
	source->base.ops = &table_ops;
	source->name = MemoryContextStrdup(base->cxt,
									   get_rel_name(base->pipeline->source));
	source->look_ms = Min(Max(base->pipeline->max_latency_ms / 4, LOOK_MIN_MS),
						  LOOK_MAX_MS);
	source->rows_cxt = AllocSetContextCreate(base->cxt, "tracking_fdw rows",
											 ALLOCSET_DEFAULT_SIZES);
	return &source->base;
}
