/*
 * source_stream.c
 *	  A stream as the source of a pipeline: which shards, from where.
 */
#include "postgres.h"

#include "access/table.h"
#include "base/clock.h"
#include "base/compat.h"
#include "config/guc.h"
#include "ledger/checkpoint.h"
#include "ledger/gap.h"
#include "ledger/pipeline_note.h"
#include "pipeline/pipeline_failure.h"
#include "pipeline/pipeline_home.h"
#include "pipeline/source_stream.h"
#include "row/row.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/*
 * After a failure so many batches keep no more than that: a record that needs
 * memory may have found it taken by others.
 */
#define CAREFUL_BATCHES 100
#define CAREFUL_BYTES ROW_BESIDE_BYTES

/* How often shards that wait for another worker are looked at. */
#define WAITING_INTERVAL_MS 500

static uint32 describe_wait_event = 0;

/* The settings that a reader needs. */
static void
reader_options(StreamSource *source, StreamReaderOptions *options)
{
	const Pipeline *pipeline = source->base.pipeline;

	options->until = source->base.until;
	options->budget_bytes = pipeline->batch_bytes;
	if (pipeline->failures > 0)
	{
		source->n_careful = CAREFUL_BATCHES;
		options->budget_bytes = Min(pipeline->batch_bytes, CAREFUL_BYTES);
	}
	options->min_rows = pipeline_source_min_rows(&source->base);
	options->batch_rows = Max(pipeline->batch_rows, options->min_rows);
	options->poll_ms = pipeline->max_latency_ms;
	options->max_latency_ms = pipeline->max_latency_ms;
	options->list_interval_ms = 0;
	if (options->until == READ_FOREVER && source->table->shard == NULL)
		options->list_interval_ms = guc_shard_list_interval_ms();
}

pg_noreturn static void
another_stream(const StreamSource *source, const char *detail)
{
	const char *name = quote_literal_cstr(source->base.pipeline->name);

	ereport_domain(ERROR, PIPELINE_FAILURE_FINAL,
				   (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("stream \"%s\" is not the one that pipeline \"%s\" has read",
						   source->stream.name, source->base.pipeline->name),
					errdetail_internal("%s", detail),
					errhint("To read the new stream from its beginning: SELECT tracking.reset_pipeline(%s, 'trim_horizon'), tracking.start_pipeline(%s).",
							name, name)));
}

static void
check_created(const StreamSource *source, TimestampTz created)
{
	TimestampTz before = source->base.pipeline->stream_created;

	if (before == 0 || created == 0 || before == created)
		return;
	another_stream(source,
				   psprintf("It was created at %s, the one that the positions belong to at %s.",
							pstrdup(timestamptz_to_str(created)),
							pstrdup(timestamptz_to_str(before))));
}

/* A position before the beginning of its shard is another stream's. */
static void
check_position(const StreamSource *source, const KinesisShard *shard,
			   const StreamPosition *position)
{
	const char *beginning = shard->starting_sequence_number;

	if (position->kind == POSITION_AFTER_SEQUENCE && beginning != NULL &&
		sequence_compare(position->sequence, strlen(position->sequence),
						 beginning, strlen(beginning)) < 0)
		another_stream(source,
					   psprintf("Its shard \"%s\" begins after the position that the pipeline has.",
								shard->shard_id));
}

/*
 * Ask the stream what it is.  One that goes on for ever is patient: false if it
 * has no answer yet, or failed in a way that may pass.
 */
static bool
describe(StreamSource *source, long max_wait_ms)
{
	const AwsError *error;
	int64		now_ms = clock_now_ms();

	if (source->base.until == READ_TO_TIP)
		max_wait_ms = -1;
	if (source->describe_ms == 0)
	{
		source->describe_ms = now_ms;
		source->describe_at = GetCurrentTimestamp();
	}
	if (source->describing == NULL && now_ms < source->describe_pace.due_ms)
	{
		clock_wait(Min(source->describe_pace.due_ms - now_ms, max_wait_ms),
				   compat_wait_event(&describe_wait_event,
									 "TrackingFdwDescribe"));
		return false;
	}
	if (source->describing == NULL)
		source->describing =
			kinesis_describe_begin(&source->stream,
								   source->base.until == READ_FOREVER);
	if (max_wait_ms >= 0 &&
		aws_client_wait(source->stream.aws, max_wait_ms) == NULL)
		return false;
	error = max_wait_ms < 0 ? NULL : aws_call_error(source->describing);
	if (error == NULL || (error->class != AWS_ERROR_RETRY &&
						  error->class != AWS_ERROR_THROTTLE))
		return true;
	shard_pace_failed(&source->describe_pace, clock_now_ms(), error);
	source->describe_pace.due_ms = Min(source->describe_pace.due_ms,
									   clock_now_ms() + SOURCE_SILENT_MS);
	aws_call_close(source->describing);
	source->describing = NULL;
	return false;
}

/* The shards of the stream; an error if it is not the right one. */
static List *
list_shards(StreamSource *source)
{
	AwsCall    *call = source->describing;
	KinesisStreamSummary *summary;

	source->describing = NULL;
	summary = kinesis_describe_end(&source->stream, call);
	check_created(source, summary->created);
	source->stream_created = summary->created;
	source->retention_us = summary->retention_hours * USECS_PER_HOUR;
	return kinesis_list_shards(&source->stream);
}

/* Those of shards that the source is about. */
static List *
of_source(const StreamSource *source, List *shards)
{
	List	   *wanted = NIL;
	ListCell   *cell;

	if (source->table->shard == NULL)
		return shards;
	foreach(cell, shards)
	{
		KinesisShard *shard = lfirst(cell);

		if (strcmp(shard->shard_id, source->table->shard) == 0)
			wanted = lappend(wanted, shard);
	}
	return wanted;
}

/*
 * Shards that have to wait for another worker are to be added again: the
 * reader would take a parent that it does not have for one that has expired.
 */
static void
add_shards(StreamSource *source, List *shards, const StreamPosition *first)
{
	const Pipeline *pipeline = source->base.pipeline;
	MemoryContext waiting_before = source->waiting_cxt;
	List	   *checkpoints;
	ListCell   *cell;

	checkpoint_add(pipeline->name, shards, first, source->retention_us);
	pipeline_home_note_positions(pipeline);
	if (source->base.slot >= 0)
		checkpoint_assign(pipeline->name, pipeline->granted_workers,
						  pipeline_claim_assignment(pipeline->id));
	foreach(cell, shards)
		stream_reader_leave(source->reader, lfirst(cell));

	source->waiting = NIL;
	source->waiting_cxt = AllocSetContextCreate(source->base.cxt,
												"tracking_fdw shards that wait",
												ALLOCSET_SMALL_SIZES);
	checkpoints = checkpoint_load(pipeline->name, shards, source->base.slot);
	foreach(cell, checkpoints)
	{
		const CheckpointShard *checkpoint = lfirst(cell);

		check_position(source, checkpoint->shard, &checkpoint->position);
		if (checkpoint->waits)
		{
			MemoryContext old = MemoryContextSwitchTo(source->waiting_cxt);

			source->waiting = lappend(source->waiting,
									  kinesis_shard_copy(checkpoint->shard));
			MemoryContextSwitchTo(old);
		}
		else
		{
			stream_reader_add(source->reader, checkpoint->shard,
							  &checkpoint->position, checkpoint->read_until);
			stream_reader_recall(source->reader, checkpoint->shard->shard_id,
								 &checkpoint->recall);
		}
	}
	if (waiting_before != NULL)
		MemoryContextDelete(waiting_before);
}

pg_noreturn static void
stop_on_gap(const StreamSource *source)
{
	const char *name = quote_literal_cstr(source->base.pipeline->name);

	ereport_domain(ERROR, PIPELINE_FAILURE_FINAL,
				   (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("stream \"%s\" may have dropped records that pipeline \"%s\" has not read",
						   source->stream.name, source->base.pipeline->name),
					errdetail("They were older than the %d hours that the stream keeps records.",
							  (int) (source->retention_us / USECS_PER_HOUR)),
					errhint("To go on with what there is: SELECT tracking.reset_pipeline(%s, 'trim_horizon'), tracking.start_pipeline(%s).",
							name, name)));
}

/* Begin with these shards, which are all that the stream lists. */
static void
begin_shards(StreamSource *source, List *shards)
{
	const Pipeline *pipeline = source->base.pipeline;

	pipeline_home_check_positions(pipeline);
	if (pipeline->stream_created == 0 && source->stream_created != 0)
		pipeline_set_stream_created(pipeline->id, source->stream_created);
	if (gap_expire_shards(pipeline->name, shards, source->retention_us) > 0 &&
		pipeline->stop_on_gap)
		stop_on_gap(source);
	stream_reader_set_retention(source->reader, source->retention_us);
	add_shards(source, of_source(source, shards), &pipeline->start);
}

static bool
stream_begin(PipelineSource *base, long max_wait_ms)
{
	StreamSource *source = (StreamSource *) base;
	MemoryContext cxt;
	MemoryContext old;
	List	   *shards;

	if (!describe(source, max_wait_ms))
		return false;
	cxt = AllocSetContextCreate(base->cxt, "tracking_fdw shards",
								ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(cxt);
	shards = list_shards(source);
	base->transactions->begin();
	begin_shards(source, shards);
	base->transactions->commit();
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
	source->added_ms = clock_now_ms();
	source->begun = true;
	return true;
}

static Batch *
stream_next_batch(PipelineSource *base, long max_wait_ms)
{
	return stream_reader_next_batch(((StreamSource *) base)->reader,
									max_wait_ms);
}

static void
stream_release(PipelineSource *base, Batch *batch)
{
	StreamSource *source = (StreamSource *) base;

	stream_reader_release(source->reader, batch);
	if (source->n_careful > 0 && --source->n_careful == 0)
		stream_reader_set_budget(source->reader, base->pipeline->batch_bytes);
}

static bool
stream_at_end(const PipelineSource *base)
{
	return stream_reader_at_end(((const StreamSource *) base)->reader);
}

static bool
stream_caught_up(const PipelineSource *base)
{
	return stream_reader_caught_up(((const StreamSource *) base)->reader);
}

/*
 * A batch with gaps may be of a stream that was deleted and created again under
 * its name: its sequence numbers are others.
 */
static void
stream_check(PipelineSource *base, const Batch *batch)
{
	StreamSource *source = (StreamSource *) base;
	ListCell   *cell;

	if (batch->gaps == NIL)
		return;
	check_created(source,
				  kinesis_describe_stream_summary(&source->stream)->created);
	foreach(cell, kinesis_list_shards(&source->stream))
	{
		const KinesisShard *shard = lfirst(cell);
		ListCell   *other;

		foreach(other, batch->gaps)
		{
			const StreamGap *gap = lfirst(other);

			if (strcmp(gap->shard_id, shard->shard_id) == 0)
				check_position(source, shard, &gap->from);
		}
	}
	if (base->pipeline->stop_on_gap)
		stop_on_gap(source);
}

/* Read shards that the stream has got, or that need wait no longer. */
static void
stream_tend(PipelineSource *base)
{
	StreamSource *source = (StreamSource *) base;
	List	   *found = stream_reader_found(source->reader);
	MemoryContext old = CurrentMemoryContext;

	if (found == NIL &&
		(source->waiting == NIL ||
		 clock_now_ms() < source->added_ms + WAITING_INTERVAL_MS))
		return;
	base->transactions->begin();
	add_shards(source, list_concat_copy(source->waiting, found), NULL);
	base->transactions->commit();
	MemoryContextSwitchTo(old);
	source->added_ms = clock_now_ms();
}

static TimestampTz
stream_tip(const PipelineSource *base)
{
	return stream_reader_tip(((const StreamSource *) base)->reader);
}

static List *
stream_tips(const PipelineSource *base)
{
	return stream_reader_tips(((const StreamSource *) base)->reader);
}

static void
stream_describe(const PipelineSource *base, char *text, size_t size)
{
	const StreamSource *source = (const StreamSource *) base;

	snprintf(text, size, "reading %d shards of stream \"%s\"",
			 stream_reader_shards(source->reader), source->stream.name);
}

static const PipelineSourceOps stream_ops = {
	.begin = stream_begin,
	.next_batch = stream_next_batch,
	.release = stream_release,
	.at_end = stream_at_end,
	.caught_up = stream_caught_up,
	.check = stream_check,
	.tend = stream_tend,
	.reach = source_stream_reach,
	.reach_changed = source_stream_reach_changed,
	.tip = stream_tip,
	.tips = stream_tips,
	.describe = stream_describe
};

PipelineSource *
source_stream_open(const PipelineSource *base)
{
	MemoryContext old = MemoryContextSwitchTo(base->cxt);
	StreamSource *source = palloc0(sizeof(StreamSource));
	Relation	table = table_open(base->pipeline->source, AccessShareLock);
	StreamReaderOptions options;

	source->base = *base;
	source->base.ops = &stream_ops;
	source->table = config_stream_table(table);
	config_open_stream(base->cxt, source->table, base->pipeline->owner,
					   &source->stream);
	reader_options(source, &options);
	shard_pace_init(&source->describe_pace, base->cxt);
	source->reader = stream_reader_open(base->cxt, &source->stream, &options);
	table_close(table, AccessShareLock);
	MemoryContextSwitchTo(old);
	return &source->base;
}
