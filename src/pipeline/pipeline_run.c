/*
 * pipeline_run.c
 *	  Fetching and applying the batches of a pipeline.
 */
#include "postgres.h"

#include "base/clock.h"
#include "config/guc.h"
#include "foreign/fdwapi.h"
#include "ledger/batch_history.h"
#include "ledger/checkpoint.h"
#include "ledger/dead_letter.h"
#include "ledger/gap.h"
#include "ledger/load_ledger.h"
#include "ledger/pipeline_note.h"
#include "pgstat.h"
#include "pipeline/pipeline_command.h"
#include "pipeline/pipeline_failure.h"
#include "pipeline/pipeline_role.h"
#include "pipeline/pipeline_run.h"
#include "pipeline/pipeline_store.h"
#include "pipeline/source_access.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Columns that found nothing in so many documents are told. */
#define WATCHED_DOCUMENTS 1000

/* The history is cut to its bound once in so many batches. */
#define HISTORY_PRUNE_BATCHES 100

/*
 * A pipeline is rejecting when more than this share of its recent records
 * became dead letters, if there are so many; see also the view pipeline_status.
 */
#define REJECTING_RATIO 0.5
#define REJECTING_RECORDS 10

/* A share of fewer records is not held against max_error_ratio. */
#define MIN_RATIO_RECORDS 100

struct PipelineRun
{
	MemoryContext cxt;
	const Pipeline *pipeline;
	PipelineSource *source;
	PipelineCommand *command;
	PipelineStore *store;		/* that is filled; or NULL */
	bool		store_begun;
	bool		failures_cleared;
	int			batches;		/* applied so far */
	bool		rejecting;		/* as it said last */
	ColumnWatch watch;			/* of its first documents */
	bool		watched;		/* they were told of */
	ErrorData  *stop;			/* why the pipeline is to stop, or NULL */
};

PipelineRun *
pipeline_run_open(MemoryContext cxt, const Pipeline *pipeline, int slot,
				  ReadUntil until, const PipelineTransactions *transactions)
{
	PipelineSource source = {
		.cxt = cxt,
		.pipeline = pipeline,
		.slot = slot,
		.until = until,
		.transactions = transactions
	};
	PipelineRun *run = MemoryContextAllocZero(cxt, sizeof(PipelineRun));

	source_access_check(pipeline);
	pipeline_role_check(pipeline->owner);
	run->cxt = cxt;
	run->pipeline = pipeline;
	run->watch.cxt = cxt;
	run->watched = pipeline->watched;
	run->store = pipeline_store_open(cxt, pipeline);
	run->command = pipeline_command_open(cxt, pipeline,
										 run->store == NULL ? NULL :
										 pipeline_store_options(run->store));
	run->source = pipeline->source_key == NULL ?
		source_stream_open(&source) : source_table_open(&source);
	return run;
}

List *
pipeline_run_servers(const PipelineRun *run)
{
	List	   *servers = NIL;
	const StoreServer *store;

	if (run->pipeline->source_key == NULL)
		servers = lappend_oid(servers,
							  GetForeignServerIdByRelId(run->pipeline->source));
	if (run->store == NULL)
		return servers;
	store = pipeline_store_options(run->store);
	servers = lappend_oid(servers, store->serverid);
	if (OidIsValid(store->aws_server))
		servers = lappend_oid(servers, store->aws_server);
	return servers;
}

PipelineSource *
pipeline_run_source(PipelineRun *run)
{
	return run->source;
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

/* The pipeline is to stop: say why, and at which record. */
static void
set_stop(PipelineRun *run, const BatchReject *reject, const char *why)
{
	MemoryContext old = MemoryContextSwitchTo(run->cxt);

	run->stop = palloc0(sizeof(ErrorData));
	run->stop->elevel = ERROR;
	run->stop->domain = PIPELINE_FAILURE_FINAL;
	run->stop->sqlerrcode = reject->sqlstate;
	run->stop->message = psprintf("pipeline \"%s\" stopped%s",
								  run->pipeline->name, why);
	run->stop->detail = psprintf("Record %s of shard \"%s\": %s",
								 kinesis_record_sequence(reject->record.record),
								 reject->record.shard_id, reject->reason);
	run->stop->hint = pstrdup("Mend the command, its tables or the source's columns and call tracking.start_pipeline(); or have such records kept as dead letters: tracking.alter_pipeline(..., on_error => 'dead_letter', max_errors => -1, max_error_ratio => 1).");
	MemoryContextSwitchTo(old);
}

/* More records of a batch are rejected than are allowed. */
static void
stop_at(PipelineRun *run, const BatchReject *reject)
{
	const Pipeline *pipeline = run->pipeline;

	set_stop(run, reject, pipeline->stop_on_error ?
			 " at a record that cannot be applied" :
			 psprintf(": more than %d records of a batch cannot be applied",
					  pipeline->max_errors));
}

/* Say once that most records are rejected, and once that this is over. */
static void
note_rejecting(PipelineRun *run, int64 records, int64 rejected)
{
	bool		rejecting = records >= REJECTING_RECORDS &&
		rejected * 2 > records;

	if (rejecting && !run->rejecting)
		ereport(WARNING,
				(errmsg("pipeline \"%s\" is rejecting: " INT64_FORMAT " of its last " INT64_FORMAT " records became dead letters",
						run->pipeline->name, rejected, records),
				 errhint("Their reasons are in tracking.dead_letter. Compare the columns and options of the source with what the records hold.")));
	if (!rejecting && run->rejecting)
		ereport(LOG,
				(errmsg("pipeline \"%s\" is no longer rejecting most records",
						run->pipeline->name)));
	run->rejecting = rejecting;
}

/*
 * Look at what was recent of all the pipeline.  A share of rejects only becomes
 * larger by a batch that has a larger one: else there is nothing to look at.
 */
static void
judge(PipelineRun *run, const Batch *batch)
{
	const Pipeline *pipeline = run->pipeline;
	double		ratio = pipeline->max_error_ratio;
	int64		records;
	int64		rejected;

	if (!run->rejecting && list_length(batch->rejects) <=
		Min(ratio, REJECTING_RATIO) * batch->n_records)
		return;
	checkpoint_recent(pipeline->name, pipeline->generation, &records,
					  &rejected);
	note_rejecting(run, records, rejected);
	if (batch->rejects != NIL && records >= MIN_RATIO_RECORDS &&
		rejected > ratio * records)
		set_stop(run, first_reject(batch),
				 psprintf(": " INT64_FORMAT " of its last " INT64_FORMAT " records cannot be applied",
						  rejected, records));
}

static void
keep_history(PipelineRun *run, const Batch *batch, uint64 rows,
			 int64 began_ms, int64 load)
{
	int			keep = guc_batch_history();

	if (keep == 0)
		return;
	batch_history_add(run->pipeline->name, batch, rows,
					  clock_now_ms() - began_ms, load);
	if (run->batches++ % HISTORY_PRUNE_BATCHES != 0)
		return;
	batch_history_prune(run->pipeline->name, keep);
	load_ledger_prune(run->pipeline->name, keep);
}

/* What failed is over; in a transaction. */
static void
clear_failures(PipelineRun *run)
{
	if (run->pipeline->failures > 0 && !run->failures_cleared)
		pipeline_clear_failures(run->pipeline->id);
	run->failures_cleared = true;
}

void
pipeline_run_idle(PipelineRun *run)
{
	const PipelineTransactions *transactions = run->source->transactions;

	if (run->failures_cleared || run->pipeline->failures == 0 ||
		!run->source->ops->caught_up(run->source))
		return;
	transactions->begin();
	clear_failures(run);
	transactions->commit();
}

/* The first documents were seen: which columns have found nothing? */
static void
tell_empty_columns(PipelineRun *run)
{
	List	   *columns = run->watch.columns;
	Datum	   *names = palloc(sizeof(Datum) * Max(list_length(columns), 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, columns)
	{
		const WatchedColumn *column = lfirst(cell);

		if (!column->found)
			names[n++] = CStringGetTextDatum(column->name);
	}
	run->watched = pipeline_set_empty_columns(run->pipeline, names, n);
}

static ApplyResult
apply(PipelineRun *run, Batch *batch)
{
	const Pipeline *pipeline = run->pipeline;
	int64		began_ms = clock_now_ms();
	int64		load = 0;
	uint64		rows;

	/* the right to may have been revoked */
	pipeline_role_check(pipeline->owner);
	if (run->store != NULL)
		load = pipeline_store_load(run->store, batch);
	if (!checkpoint_advance(pipeline->name, pipeline->generation, batch))
		return APPLY_FENCED;
	source_access_check(pipeline);
	batch->watch = run->watched ? NULL : &run->watch;
	rows = pipeline_command_apply(run->command, batch);
	if (pipeline_command_gives_up(run->command, batch))
	{
		const BatchReject *reject = first_reject(batch);

		stop_at(run, reject);
		batch_truncate(batch, pipeline->stop_on_error ?
					   reject->record.ordinal : 0);
		return APPLY_AGAIN;
	}
	if (run->store != NULL &&
		!pipeline_store_advance(run->store, batch, rows))
		return APPLY_FENCED;
	if (batch->gaps != NIL)
		gap_keep(pipeline->name, batch);
	if (batch->rejects != NIL)
	{
		/* the command may have taken a while */
		source_access_check(pipeline);
		if (run->source->ops->complete_rejects != NULL)
			run->source->ops->complete_rejects(run->source, batch);
		dead_letter_keep(pipeline->name, batch, load);
	}
	if (batch->rejects != NIL || batch->empty != NULL)
		checkpoint_count_rowless(pipeline->name, batch);
	judge(run, batch);
	if (!run->watched && run->watch.documents >= WATCHED_DOCUMENTS)
		tell_empty_columns(run);
	keep_history(run, batch, rows, began_ms, load);
	if (run->store == NULL)
		clear_failures(run);
	pipeline_command_publish(run->command);
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

bool
pipeline_run_begin(PipelineRun *run, long max_wait_ms)
{
	if (run->store != NULL && !run->store_begun)
		pipeline_store_begin(run->store, run->source->transactions);
	run->store_begun = true;
	return run->source->ops->begin(run->source, max_wait_ms);
}

void
pipeline_run_committed(PipelineRun *run, const Batch *batch)
{
	const PipelineTransactions *transactions = run->source->transactions;

	if (run->store == NULL)
		return;
	pipeline_store_commit(run->store, batch);
	transactions->begin();
	pipeline_store_committed(run->store);
	clear_failures(run);
	transactions->commit();
}

void
pipeline_run_report(const PipelineRun *run, const Batch *batch)
{
	char		doing[200];
	char		activity[256];

	if (batch == NULL)
		run->source->ops->describe(run->source, doing, sizeof(doing));
	else
		snprintf(doing, sizeof(doing), "applying " INT64_FORMAT " records",
				 batch->n_records);
	snprintf(activity, sizeof(activity), "pipeline \"%s\": %s",
			 run->pipeline->name, doing);
	pgstat_report_activity(batch == NULL ? STATE_IDLE : STATE_RUNNING,
						   activity);
}
