/*
 * pipeline_run.c
 *	  Fetching and applying the batches of a pipeline.
 */
#include "postgres.h"

#include "base/clock.h"
#include "config/guc.h"
#include "ledger/batch_history.h"
#include "ledger/checkpoint.h"
#include "ledger/dead_letter.h"
#include "ledger/gap.h"
#include "ledger/load_ledger.h"
#include "ledger/pipeline_note.h"
#include "pgstat.h"
#include "pipeline/pipeline_apply.h"
#include "pipeline/pipeline_judge.h"
#include "pipeline/pipeline_role.h"
#include "pipeline/pipeline_run.h"
#include "pipeline/pipeline_sink.h"
#include "pipeline/source_kind.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Columns that found nothing in so many documents are told. */
#define WATCHED_DOCUMENTS 1000

/* The history is cut to its bound once in so many batches. */
#define HISTORY_PRUNE_BATCHES 100

struct PipelineRun
{
	MemoryContext cxt;
	MemoryContext step_cxt;		/* reset with each step */
	const Pipeline *pipeline;
	const PipelineHost *host;
	PipelineSource *source;
	PipelineSink *sink;
	bool		sink_begun;
	bool		begun;			/* the source is being read */
	bool		failures_cleared;
	int			batches;		/* applied so far */
	PipelineJudge judge;
	ColumnWatch watch;			/* of its first documents */
	bool		watched;		/* they were told of */
};

/* What is to become of the transaction in which a batch was applied. */
typedef enum ApplyResult
{
	APPLY_DONE,					/* commit it */
	APPLY_FENCED,				/* another session has moved the positions:
								 * abort it */
	APPLY_AGAIN					/* the batch is another than it was: abort it,
								 * and apply the batch anew */
} ApplyResult;

PipelineRun *
pipeline_run_open(MemoryContext cxt, const Pipeline *pipeline, int slot,
				  ReadUntil until, const PipelineHost *host)
{
	PipelineSource source = {
		.cxt = cxt,
		.pipeline = pipeline,
		.slot = slot,
		.until = until,
		.transactions = &host->transactions
	};
	PipelineRun *run = MemoryContextAllocZero(cxt, sizeof(PipelineRun));

	source_kind_check_access(pipeline);
	pipeline_role_check(pipeline->owner);
	run->cxt = cxt;
	run->step_cxt = AllocSetContextCreate(cxt, "tracking_fdw step",
										  ALLOCSET_DEFAULT_SIZES);
	run->pipeline = pipeline;
	run->host = host;
	run->judge.cxt = cxt;
	run->judge.pipeline = pipeline;
	run->watch.cxt = cxt;
	run->watched = pipeline->watched;
	run->sink = pipeline_sink_open(cxt, pipeline);
	run->source = source_kind_of(pipeline)->open(&source);
	return run;
}

List *
pipeline_run_servers(const PipelineRun *run)
{
	return list_concat(source_kind_of(run->pipeline)->servers(run->pipeline),
					   pipeline_sink_servers(run->sink));
}

PipelineSource *
pipeline_run_source(const PipelineRun *run)
{
	return run->source;
}

static void
apply_error_callback(void *arg)
{
	errcontext("pipeline \"%s\"", ((PipelineRun *) arg)->pipeline->name);
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

/*
 * Nothing came.  If all was read and applied, what failed before is over, and
 * the pipeline's row says so.
 */
static void
rest(PipelineRun *run)
{
	const PipelineTransactions *transactions = &run->host->transactions;

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

/*
 * Move the positions of a batch, run the command over it, keep its dead
 * letters, its gaps and its history.  Nothing is applied or kept of what the
 * pipeline's owner may no longer read.
 */
static ApplyResult
apply_in_transaction(PipelineRun *run, Batch *batch)
{
	const Pipeline *pipeline = run->pipeline;
	int64		began_ms = clock_now_ms();
	int64		load;
	uint64		rows;

	/* the right to may have been revoked */
	pipeline_role_check(pipeline->owner);
	load = pipeline_sink_load(run->sink, batch);
	if (!checkpoint_advance(pipeline->name, pipeline->generation, batch))
		return APPLY_FENCED;
	source_kind_check_access(pipeline);
	batch->watch = run->watched ? NULL : &run->watch;
	rows = pipeline_apply(run->sink, batch);
	if (pipeline_apply_gives_up(pipeline, batch))
	{
		pipeline_judge_cut(&run->judge, batch);
		return APPLY_AGAIN;
	}
	if (!pipeline_sink_advance(run->sink, batch, rows))
		return APPLY_FENCED;
	if (batch->gaps != NIL)
		gap_keep(pipeline->name, batch);
	if (batch->rejects != NIL)
	{
		/* the command may have taken a while */
		source_kind_check_access(pipeline);
		if (run->source->ops->complete_rejects != NULL)
			run->source->ops->complete_rejects(run->source, batch);
		dead_letter_keep(pipeline->name, batch, load);
	}
	if (batch->rejects != NIL || batch->empty != NULL)
		checkpoint_count_rowless(pipeline->name, batch);
	pipeline_judge_batch(&run->judge, batch);
	if (!run->watched && run->watch.documents >= WATCHED_DOCUMENTS)
		tell_empty_columns(run);
	keep_history(run, batch, rows, began_ms, load);
	if (!pipeline_sink_commits_later(run->sink))
		clear_failures(run);
	pipeline_apply_publish(run->sink);
	return APPLY_DONE;
}

/* The same, with the pipeline named in what is reported meanwhile. */
static ApplyResult
apply(PipelineRun *run, Batch *batch)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = apply_error_callback,
		.arg = run
	};
	ApplyResult result;

	error_context_stack = &callback;
	result = apply_in_transaction(run, batch);
	error_context_stack = callback.previous;
	return result;
}

/* One attempt at a batch, in a transaction; tries came before it. */
static ApplyResult
try_batch(PipelineRun *run, Batch *batch, int tries)
{
	const PipelineHost *host = run->host;
	volatile ApplyResult result = APPLY_AGAIN;

	host->transactions.begin();
	PG_TRY();
	{
		result = apply(run, batch);
		if (result == APPLY_DONE)
			host->transactions.commit();
		else
			host->transactions.abort();
	}
	PG_CATCH();
	{
		MemoryContext error_cxt = MemoryContextSwitchTo(run->step_cxt);

		if (host->recover == NULL || !host->recover(run->pipeline, tries))
		{
			MemoryContextSwitchTo(error_cxt);
			PG_RE_THROW();
		}
		batch_forget_rejects(batch);
		/* it may have been the commit that failed */
		result = APPLY_AGAIN;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(run->step_cxt);
	return result;
}

/* A batch that was applied is committed: its sink commits, too. */
static void
commit_sink(PipelineRun *run, const Batch *batch)
{
	const PipelineTransactions *transactions = &run->host->transactions;
	PipelineSink *sink = run->sink;

	if (!pipeline_sink_commits_later(sink))
		return;
	sink->ops->commit(sink, batch);
	transactions->begin();
	sink->ops->committed(sink);
	clear_failures(run);
	transactions->commit();
}

/* Apply a batch and commit it. */
static StepResult
step_over(PipelineRun *run, Batch *batch)
{
	PipelineSource *source = run->source;
	ApplyResult result;
	int			tries = 0;
	int64		n_records;

	if (!run->host->admit(run, batch))
		return STEP_HELD;
	if (source->ops->check != NULL)
		source->ops->check(source, batch);
	do
		result = try_batch(run, batch, tries++);
	while (result == APPLY_AGAIN);
	if (result == APPLY_DONE)
		commit_sink(run, batch);
	n_records = batch->n_records;
	source->ops->release(source, batch);
	if (result == APPLY_FENCED)
		return STEP_FENCED;
	if (run->judge.verdict != NULL)
		ThrowErrorData(run->judge.verdict);
	return n_records > 0 ? STEP_APPLIED : STEP_MOVED;
}

/* Begin to read; false: the source could not be reached in that time. */
static bool
begin(PipelineRun *run, long max_wait_ms)
{
	if (!run->sink_begun)
		pipeline_sink_begin(run->sink, &run->host->transactions);
	run->sink_begun = true;
	return run->source->ops->begin(run->source, max_wait_ms);
}

StepResult
pipeline_run_step(PipelineRun *run, long max_wait_ms)
{
	Batch	   *batch = NULL;

	MemoryContextSwitchTo(run->step_cxt);
	MemoryContextReset(run->step_cxt);
	if (!run->host->admit(run, NULL))
		return STEP_HELD;
	if (run->begun)
		batch = run->source->ops->next_batch(run->source, max_wait_ms);
	else
		run->begun = begin(run, max_wait_ms);
	if (batch != NULL)
		return step_over(run, batch);
	if (!run->begun)
		return STEP_UNREACHED;
	rest(run);
	return STEP_IDLE;
}

bool
pipeline_run_has_begun(const PipelineRun *run)
{
	return run->begun;
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
