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
	bool		waits;			/* for a parent that another worker reads */
	int			batches;		/* applied so far */
	ErrorData  *stop;			/* why the pipeline is to stop, or NULL */
};

/* The settings that a reader needs. */
static void
reader_options(const Pipeline *pipeline, ReadUntil until,
			   StreamReaderOptions *options)
{
	options->until = until;
	options->budget_bytes = pipeline->batch_bytes;
	options->batch_rows = pipeline->batch_rows;
	options->poll_ms = pipeline->max_latency_ms;
	options->max_latency_ms = pipeline->max_latency_ms;
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
	reader_options(pipeline, until, &options);
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

List *
pipeline_run_list(PipelineRun *run)
{
	List	   *shards = kinesis_list_shards(&run->stream);
	List	   *wanted = NIL;
	ListCell   *cell;

	stream_reader_listed(run->reader);
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

static CheckpointShard *
find_checkpoint(List *checkpoints, const char *shard_id)
{
	ListCell   *cell;

	foreach(cell, checkpoints)
	{
		CheckpointShard *checkpoint = lfirst(cell);

		if (shard_id != NULL &&
			strcmp(checkpoint->shard.shard_id, shard_id) == 0)
			return checkpoint;
	}
	return NULL;
}

/*
 * Is a parent still to be read by another worker of the pipeline, or by this
 * one once it may begin with it?
 */
static bool
is_waited_for(const PipelineRun *run, List *checkpoints,
			  const char *parent_id)
{
	const CheckpointShard *parent = find_checkpoint(checkpoints, parent_id);

	return parent != NULL && parent->position.kind != POSITION_SHARD_END &&
		!stream_reader_has(run->reader, parent_id);
}

void
pipeline_run_add(PipelineRun *run, List *shards)
{
	const Pipeline *pipeline = run->pipeline;
	List	   *checkpoints;
	ListCell   *cell;

	checkpoint_add(pipeline->name, shards, &pipeline->start);
	if (run->slot >= 0)
		checkpoint_assign(pipeline->name, pipeline->workers,
						  pipeline_claim_assignment(pipeline->id));
	checkpoints = checkpoint_load(pipeline->name);
	run->waits = false;
	foreach(cell, shards)
	{
		const KinesisShard *shard = lfirst(cell);
		const CheckpointShard *checkpoint =
			find_checkpoint(checkpoints, shard->shard_id);

		if (checkpoint == NULL ||
			(run->slot >= 0 && checkpoint->worker != run->slot))
			continue;
		if (run->slot >= 0 &&
			(is_waited_for(run, checkpoints, shard->parent_shard_id) ||
			 is_waited_for(run, checkpoints,
						   shard->adjacent_parent_shard_id)))
			run->waits = true;
		else
			stream_reader_add(run->reader, shard, &checkpoint->position);
	}
}

bool
pipeline_run_waits(const PipelineRun *run)
{
	return run->waits;
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
