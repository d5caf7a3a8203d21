/*
 * pipeline_run.c
 *	  Fetching and applying the batches of a pipeline.
 */
#include "postgres.h"

#include "access/table.h"
#include "base/clock.h"
#include "config/config.h"
#include "config/guc.h"
#include "pgstat.h"
#include "sink/batch_history.h"
#include "sink/checkpoint.h"
#include "sink/dead_letter.h"
#include "sink/gap.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "worker/pipeline_command.h"
#include "worker/pipeline_run.h"

/* The history is cut to its bound once in so many batches. */
#define HISTORY_PRUNE_BATCHES 100

struct PipelineRun
{
	MemoryContext cxt;
	const Pipeline *pipeline;
	int			slot;			/* reads the shards of this worker; -1: all */
	StreamTable *table;
	KinesisStream stream;
	StreamReader *reader;
	PipelineCommand *command;
	bool		failures_cleared;
	TimestampTz stream_created; /* 0: the stream does not say */
	int64		retention_us;
	List	   *waiting;		/* KinesisShard *, for a parent that another
								 * worker reads; in waiting_cxt */
	MemoryContext waiting_cxt;
	int			batches;		/* applied so far */
	ErrorData  *stop;			/* why the pipeline is to stop, or NULL */
};

static bool hopeless = false;

/* The settings that a reader needs. */
static void
reader_options(const PipelineRun *run, ReadUntil until,
			   StreamReaderOptions *options)
{
	const Pipeline *pipeline = run->pipeline;

	options->until = until;
	options->budget_bytes = pipeline->batch_bytes;
	options->batch_rows = pipeline->batch_rows;
	options->poll_ms = pipeline->max_latency_ms;
	options->max_latency_ms = pipeline->max_latency_ms;
	options->list_interval_ms = 0;
	if (until == READ_FOREVER && run->table->shard == NULL)
		options->list_interval_ms = guc_shard_list_interval_ms();
}

PipelineRun *
pipeline_run_open(MemoryContext cxt, const Pipeline *pipeline, int slot,
				  ReadUntil until)
{
	MemoryContext old = MemoryContextSwitchTo(cxt);
	PipelineRun *run = palloc0(sizeof(PipelineRun));
	Relation	source;
	StreamReaderOptions options;

	run->cxt = cxt;
	run->pipeline = pipeline;
	run->slot = slot;
	run->command = pipeline_command_open(cxt, pipeline);
	source = table_open(pipeline->source, AccessShareLock);
	run->table = config_stream_table(source);
	config_credentials(run->table, pipeline->owner);
	run->stream.aws = aws_client_open(cxt, &run->table->aws, "kinesis");
	run->stream.name = run->table->stream;
	run->stream.unpack = run->table->unpack;
	reader_options(run, until, &options);
	run->reader = stream_reader_open(cxt, &run->stream, &options);
	table_close(source, AccessShareLock);
	MemoryContextSwitchTo(old);
	return run;
}

StreamReader *
pipeline_run_reader(PipelineRun *run)
{
	return run->reader;
}

bool
pipeline_run_is_hopeless(void)
{
	return hopeless;
}

pg_noreturn static void
another_stream(const PipelineRun *run, const char *detail)
{
	const char *name = quote_literal_cstr(run->pipeline->name);

	hopeless = true;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("stream \"%s\" is not the one that pipeline \"%s\" has read",
					run->stream.name, run->pipeline->name),
			 errdetail_internal("%s", detail),
			 errhint("To read the new stream from its beginning: SELECT tracking.reset_pipeline(%s, 'trim_horizon'), tracking.start_pipeline(%s).",
					 name, name)));
}

static void
check_created(const PipelineRun *run, TimestampTz created)
{
	TimestampTz before = run->pipeline->stream_created;

	if (before == 0 || created == 0 || before == created)
		return;
	another_stream(run,
				   psprintf("It was created at %s, the one that the positions belong to at %s.",
							pstrdup(timestamptz_to_str(created)),
							pstrdup(timestamptz_to_str(before))));
}

/* A position before the beginning of its shard is another stream's. */
static void
check_position(const PipelineRun *run, const KinesisShard *shard,
			   const StreamPosition *position)
{
	const char *beginning = shard->starting_sequence_number;

	if (position->kind == POSITION_AFTER_SEQUENCE && beginning != NULL &&
		sequence_compare(position->sequence, strlen(position->sequence),
						 beginning, strlen(beginning)) < 0)
		another_stream(run,
					   psprintf("Its shard \"%s\" begins after the position that the pipeline has.",
								shard->shard_id));
}

void
pipeline_run_check(PipelineRun *run, const Batch *batch)
{
	ListCell   *cell;

	if (batch->gaps == NIL)
		return;
	check_created(run, kinesis_describe_stream_summary(&run->stream)->created);
	foreach(cell, kinesis_list_shards(&run->stream))
	{
		const KinesisShard *shard = lfirst(cell);
		ListCell   *other;

		foreach(other, batch->gaps)
		{
			const StreamGap *gap = lfirst(other);

			if (strcmp(gap->shard_id, shard->shard_id) == 0)
				check_position(run, shard, &gap->from);
		}
	}
}

List *
pipeline_run_list(PipelineRun *run)
{
	KinesisStreamSummary *summary =
		kinesis_describe_stream_summary(&run->stream);

	check_created(run, summary->created);
	run->stream_created = summary->created;
	run->retention_us = summary->retention_hours * USECS_PER_HOUR;
	return kinesis_list_shards(&run->stream);
}

/* Those of shards that the source is about. */
static List *
of_source(const PipelineRun *run, List *shards)
{
	List	   *wanted = NIL;
	ListCell   *cell;

	if (run->table->shard == NULL)
		return shards;
	foreach(cell, shards)
	{
		KinesisShard *shard = lfirst(cell);

		if (strcmp(shard->shard_id, run->table->shard) == 0)
			wanted = lappend(wanted, shard);
	}
	return wanted;
}

/*
 * Shards that have to wait for another worker are to be added again: the
 * reader would take a parent that it does not have for one that has expired.
 */
static void
add_shards(PipelineRun *run, List *shards, const StreamPosition *first)
{
	const Pipeline *pipeline = run->pipeline;
	MemoryContext waiting_before = run->waiting_cxt;
	List	   *checkpoints;
	ListCell   *cell;

	checkpoint_add(pipeline->name, shards, first, run->retention_us);
	if (run->slot >= 0)
		checkpoint_assign(pipeline->name, pipeline->workers,
						  pipeline_claim_assignment(pipeline->id));
	foreach(cell, shards)
		stream_reader_leave(run->reader, lfirst(cell));

	run->waiting = NIL;
	run->waiting_cxt = AllocSetContextCreate(run->cxt,
											 "tracking_fdw shards that wait",
											 ALLOCSET_SMALL_SIZES);
	checkpoints = checkpoint_load(pipeline->name, shards, run->slot);
	foreach(cell, checkpoints)
	{
		const CheckpointShard *checkpoint = lfirst(cell);

		check_position(run, checkpoint->shard, &checkpoint->position);
		if (checkpoint->waits)
		{
			MemoryContext old = MemoryContextSwitchTo(run->waiting_cxt);

			run->waiting = lappend(run->waiting,
								   kinesis_shard_copy(checkpoint->shard));
			MemoryContextSwitchTo(old);
		}
		else
			stream_reader_add(run->reader, checkpoint->shard,
							  &checkpoint->position, checkpoint->read_until);
	}
	if (waiting_before != NULL)
		MemoryContextDelete(waiting_before);
}

void
pipeline_run_add(PipelineRun *run, List *shards)
{
	add_shards(run, list_concat_copy(run->waiting, shards), NULL);
}

pg_noreturn static void
stop_on_gap(const PipelineRun *run)
{
	const char *name = quote_literal_cstr(run->pipeline->name);

	hopeless = true;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("stream \"%s\" may have dropped records that pipeline \"%s\" has not read",
					run->stream.name, run->pipeline->name),
			 errdetail("They were older than the %d hours that the stream keeps records.",
					   (int) (run->retention_us / USECS_PER_HOUR)),
			 errhint("To go on with what there is: SELECT tracking.reset_pipeline(%s, 'trim_horizon'), tracking.start_pipeline(%s).",
					 name, name)));
}

void
pipeline_run_begin(PipelineRun *run, List *shards)
{
	const Pipeline *pipeline = run->pipeline;

	if (pipeline->stream_created == 0 && run->stream_created != 0)
		pipeline_set_stream_created(pipeline->id, run->stream_created);
	if (gap_expire_shards(pipeline->name, shards, run->retention_us) > 0 &&
		pipeline->stop_on_gap)
		stop_on_gap(run);
	stream_reader_set_retention(run->reader, run->retention_us);
	add_shards(run, of_source(run, shards), &pipeline->start);
}

bool
pipeline_run_waits(const PipelineRun *run)
{
	return run->waiting != NIL;
}

const ErrorData *
pipeline_run_stop(const PipelineRun *run)
{
	return run->stop;
}

static void
apply_error_callback(void *arg)
{
	errcontext("pipeline \"%s\"", ((PipelineRun *) arg)->pipeline->name);
}

/* The reject that comes first in the batch. */
static const BatchReject *
first_reject(const Batch *batch)
{
	ListCell   *cell;

	foreach(cell, batch->rejects)
	{
		const BatchReject *reject = lfirst(cell);

		if (reject->record.ordinal == bms_next_member(batch->rejected, -1))
			return reject;
	}
	pg_unreachable();
}

/* The pipeline is to stop: say at which record, and why. */
static void
set_stop(PipelineRun *run, const BatchReject *reject)
{
	const Pipeline *pipeline = run->pipeline;
	MemoryContext old = MemoryContextSwitchTo(run->cxt);

	run->stop = palloc0(sizeof(ErrorData));
	run->stop->elevel = ERROR;
	run->stop->sqlerrcode = reject->sqlstate;
	run->stop->message = pipeline->stop_on_error ?
		psprintf("pipeline \"%s\" stopped at a record that cannot be applied",
				 pipeline->name) :
		psprintf("pipeline \"%s\" stopped: more than %d records of a batch cannot be applied",
				 pipeline->name, pipeline->max_errors);
	run->stop->detail = psprintf("Record %s of shard \"%s\": %s",
								 kinesis_record_sequence(reject->record.record),
								 reject->record.shard_id, reject->reason);
	run->stop->hint = pstrdup("Mend the command, its tables or the source's columns and call tracking.start_pipeline(); or have such records kept as dead letters: tracking.alter_pipeline(..., on_error => 'dead_letter', max_errors => -1).");
	MemoryContextSwitchTo(old);
}

static void
keep_history(PipelineRun *run, const Batch *batch, uint64 rows,
			 int64 began_ms)
{
	int			keep = guc_batch_history();

	if (keep == 0)
		return;
	batch_history_add(run->pipeline->name, batch, rows,
					  clock_now_ms() - began_ms);
	if (run->batches++ % HISTORY_PRUNE_BATCHES == 0)
		batch_history_prune(run->pipeline->name, keep);
}

static ApplyResult
apply(PipelineRun *run, Batch *batch)
{
	const Pipeline *pipeline = run->pipeline;
	int64		began_ms = clock_now_ms();
	uint64		rows;

	if (batch->gaps != NIL && pipeline->stop_on_gap)
		stop_on_gap(run);
	if (!checkpoint_advance(pipeline->name, batch))
		return APPLY_FENCED;
	rows = pipeline_command_apply(run->command, batch);
	if (pipeline_command_gives_up(run->command, batch))
	{
		const BatchReject *reject = first_reject(batch);

		set_stop(run, reject);
		batch_truncate(batch, pipeline->stop_on_error ?
					   reject->record.ordinal : 0);
		return APPLY_AGAIN;
	}
	if (batch->gaps != NIL)
		gap_keep(pipeline->name, batch);
	if (batch->rejects != NIL)
	{
		dead_letter_keep(pipeline->name, batch);
		checkpoint_count_dead_letters(pipeline->name, batch);
	}
	keep_history(run, batch, rows, began_ms);
	if (pipeline->failures > 0 && !run->failures_cleared)
	{
		pipeline_clear_failures(pipeline->id);
		run->failures_cleared = true;
	}
	return APPLY_DONE;
}

ApplyResult
pipeline_run_apply(PipelineRun *run, Batch *batch)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = apply_error_callback,
		.arg = run
	};
	ApplyResult result;

	error_context_stack = &callback;
	result = apply(run, batch);
	error_context_stack = callback.previous;
	return result;
}

void
pipeline_run_report(const PipelineRun *run, const Batch *batch)
{
	char		activity[256];

	if (batch == NULL)
	{
		snprintf(activity, sizeof(activity),
				 "pipeline \"%s\": reading %d shards of stream \"%s\"",
				 run->pipeline->name, stream_reader_shards(run->reader),
				 run->stream.name);
		pgstat_report_activity(STATE_IDLE, activity);
	}
	else
	{
		snprintf(activity, sizeof(activity),
				 "pipeline \"%s\": applying " INT64_FORMAT " records",
				 run->pipeline->name, batch->n_records);
		pgstat_report_activity(STATE_RUNNING, activity);
	}
}
