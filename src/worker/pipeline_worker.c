/*
 * pipeline_worker.c
 *	  The process that runs one pipeline.
 *
 * It is connected as the pipeline's owner, so that nothing a command does can
 * reach further than its owner could.  On an error it notes it and ends; the
 * supervisor starts another when it is time.  Told to end by a supervisor, it
 * ends as soon, and has nothing to note.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "config/guc.h"
#include "ledger/pipeline_note.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "pipeline/pipeline_failure.h"
#include "pipeline/pipeline_reach.h"
#include "pipeline/pipeline_run.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "stream/stream_outbox.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "worker/crash_count.h"
#include "worker/pipeline_limits.h"
#include "worker/pipeline_lock.h"
#include "worker/pipeline_pause.h"
#include "worker/pipeline_read_only.h"
#include "worker/pipeline_watch.h"
#include "worker/worker.h"
#include "worker/worker_room.h"

/*
 * How often an idle worker looks at what else there is to do; when a stream's
 * next poll comes soon after, then.
 */
#define TEND_INTERVAL_MS 500

static const PipelineSource *read_source = NULL;	/* once it is read; NULL if
													 * others read it, too */

/* Of the handler of WORKER_END_SIGNAL. */
static volatile sig_atomic_t end_wanted = false;
static volatile sig_atomic_t can_cancel = false;	/* what runs may be */

static const PipelineTransactions transactions = {worker_begin, worker_commit};

static void
end_soon(SIGNAL_ARGS)
{
	int			save_errno = errno;

	(void) postgres_signal_arg;
	end_wanted = true;
	if (can_cancel)
		InterruptPending = QueryCancelPending = true;
	SetLatch(MyLatch);
	errno = save_errno;
}

/* The error that is being handled is that the worker was told to end. */
static bool
is_told_to_end(void)
{
	return end_wanted && geterrcode() == ERRCODE_QUERY_CANCELED;
}

/*
 * The batch has failed, and some of what it publishes is published: only this
 * process knows what.  So it tries again by itself.
 */
static void
wait_to_try_again(const Pipeline *pipeline, const ErrorData *error,
				  int failures)
{
	int64		retry_ms = worker_retry_ms(failures);
	int64		end_ms = clock_now_ms() + retry_ms;

	worker_begin();
	pipeline_record_failure(pipeline->id, error, retry_ms);
	worker_commit();
	for (int64 left; (left = end_ms - clock_now_ms()) > 0;)
		clock_wait(left, PG_WAIT_EXTENSION);
}

/* One attempt at a batch, in a transaction. */
static ApplyResult
try_batch(PipelineRun *run, const Pipeline *pipeline, Batch *batch,
		  int failures)
{
	MemoryContext cxt = CurrentMemoryContext;
	volatile ApplyResult result = APPLY_AGAIN;

	worker_begin();
	PG_TRY();
	{
		result = pipeline_run_apply(run, batch);
		if (result == APPLY_DONE)
			worker_commit();
		else
			AbortCurrentTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		if (!stream_outbox_has_sent() || is_told_to_end())
			PG_RE_THROW();
		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		if (pipeline_failure_is_final(error))
			PG_RE_THROW();
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
		MemoryContextSwitchTo(cxt);
		batch_forget_rejects(batch);
		wait_to_try_again(pipeline, error, failures);
	}
	PG_END_TRY();
	return result;
}

/* False if another session has changed the pipeline or moved its positions. */
static bool
apply(PipelineRun *run, const Pipeline *pipeline, Batch *batch)
{
	PipelineSource *source = pipeline_run_source(run);
	ApplyResult result;
	int			tries = 0;

	pipeline_pause_wait(pipeline, &transactions);
	pipeline_run_report(run, batch);
	if (source->ops->check != NULL)
		source->ops->check(source, batch);
	do
		result = try_batch(run, pipeline, batch, tries++);
	while (result == APPLY_AGAIN);
	if (result == APPLY_DONE)
		pipeline_run_committed(run, batch);
	if (result == APPLY_DONE && batch->n_records > 0)
		crash_count_live(true);
	source->ops->release(source, batch);
	return result == APPLY_DONE;
}

/* What comes up now and then, between batches. */
static void
tend(PipelineRun *run, bool begun)
{
	PipelineSource *source = pipeline_run_source(run);

	pipeline_reach_tell(source);
	pipeline_reach_report(source);
	if (begun && source->ops->tend != NULL)
		source->ops->tend(source);
	clock_serve_interrupts();
	(void) worker_reload_config();
}

/* There was nothing to apply for a while. */
static void
rest(PipelineRun *run)
{
	crash_count_live(false);
	pipeline_run_idle(run);
	worker_report_stat();
}

/* The process ends: nobody can ask it any more. */
static void
keep_reach(void)
{
	if (read_source == NULL || pipeline_is_read_only())
		return;
	worker_begin();
	pipeline_reach_keep(read_source);
	worker_commit();
}

/*
 * Read and apply until the process is ended, another was first, the source or
 * a limit was altered, or a record stops the pipeline: then that error is
 * thrown.
 */
static void
run_pipeline(const Pipeline *pipeline, int slot)
{
	/* what a round leaves lying about */
	MemoryContext round_cxt = AllocSetContextCreate(TopMemoryContext,
													"tracking_fdw round",
													ALLOCSET_DEFAULT_SIZES);
	int64		max_batch_bytes = guc_max_batch_bytes();
	PipelineRun *run;
	PipelineSource *source;
	bool		begun = false;

	if (!pipeline_read_only_wait(pipeline, slot))
		return;
	/* a table is asked anew each time; maintenance of it is no change */
	pipeline_watch_begin(pipeline->source_key == NULL ?
						 pipeline->source : InvalidOid);
	worker_begin();
	run = pipeline_run_open(TopMemoryContext, pipeline, slot, READ_FOREVER,
							&transactions);
	pipeline_watch_only(pipeline->owner, pipeline_run_servers(run));
	worker_commit();
	source = pipeline_run_source(run);
	stream_outbox_remember(true);
	for (;;)
	{
		Batch	   *batch = NULL;

		MemoryContextSwitchTo(round_cxt);
		MemoryContextReset(round_cxt);
		if (begun)
			pipeline_pause_wait(pipeline, &transactions);
		pipeline_run_report(run, NULL);
		if (begun)
			batch = source->ops->next_batch(source, TEND_INTERVAL_MS);
		else
			begun = pipeline_run_begin(run, TEND_INTERVAL_MS);
		if (begun)
			read_source = source;
		if (batch == NULL && begun)
			rest(run);
		else if (batch == NULL)
			crash_count_live(false);
		else if (!apply(run, pipeline, batch))
		{
			ereport(LOG,
					(errmsg("pipeline \"%s\" was changed, or moved by another session; beginning anew",
							pipeline->name)));
			read_source = NULL;
			return;
		}
		if (pipeline_run_stop(run) != NULL)
			ThrowErrorData(unconstify(ErrorData *, pipeline_run_stop(run)));
		tend(run, begun);
		if (pipeline_watch_changed() || pipeline_is_read_only() ||
			max_batch_bytes != guc_max_batch_bytes())
			return;
	}
}

/*
 * Note why the pipeline failed, and when to try again, unless the error ends
 * it.  What has become read-only meanwhile is nothing to write to, and no
 * failure.
 */
static void
record_failure(const Pipeline *pipeline, const ErrorData *error)
{
	if (pipeline_is_read_only())
		return;
	worker_begin();
	pipeline_record_failure(pipeline->id, error,
							pipeline_failure_is_final(error) ? -1 :
							worker_retry_ms(pipeline->failures));
	worker_commit();
}

/*
 * The pipeline that this process is to run, as long as it lives; NULL if that
 * has changed meanwhile, or there is no room for the process.  From here on it
 * counts if it crashes.
 */
static Pipeline *
take_up(const WorkerArgs *args)
{
	Pipeline   *pipeline;

	if (!pipeline_lock_worker(args->pipeline, args->slot))
		return NULL;
	crash_count_begin(args->pipeline, args->slot, args->generation);
	worker_begin();
	MemoryContextSwitchTo(TopMemoryContext);
	pipeline = pipeline_load_id(args->pipeline);
	if (pipeline != NULL &&
		(!pipeline->enabled || pipeline->generation != args->generation ||
		 pipeline->granted_workers != args->n_workers ||
		 !worker_room_has_me(pipeline->owner)))
		pipeline = NULL;
	if (pipeline != NULL)
		pipeline->batch_bytes = pipeline_limits_batch_bytes(pipeline);
	worker_commit();
	return pipeline;
}

void
tracking_fdw_worker_main(Datum arg)
{
	MemoryContext cxt;
	WorkerArgs	args;
	Pipeline   *volatile pipeline;

	(void) arg;
	memcpy(&args, MyBgworkerEntry->bgw_extra, sizeof(args));
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(WORKER_END_SIGNAL, end_soon);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(args.database, args.owner,
											  COMPAT_BYPASS_LOGIN_CHECK);
	/*
	 * Should it wait for somebody who waits for it, a DROP EXTENSION say, the
	 * worker is to be the one that gives way: it can try again.
	 */
	SetConfigOption("deadlock_timeout", "100ms", PGC_SUSET, PGC_S_OVERRIDE);
	cxt = TopMemoryContext;
	pipeline = take_up(&args);
	can_cancel = true;
	if (pipeline == NULL || end_wanted)
		proc_exit(0);
	pgstat_report_appname(psprintf("tracking_fdw: %s", pipeline->name));

	PG_TRY();
	{
		run_pipeline(pipeline, args.slot);
		keep_reach();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(cxt);
		can_cancel = false;
		if (is_told_to_end())
		{
			FlushErrorState();
			AbortOutOfAnyTransaction();
			keep_reach();
			proc_exit(0);
		}
		error = CopyErrorData();
		EmitErrorReport();
		FlushErrorState();
		AbortOutOfAnyTransaction();
		record_failure(pipeline, error);
		keep_reach();
	}
	PG_END_TRY();
	proc_exit(0);
}
