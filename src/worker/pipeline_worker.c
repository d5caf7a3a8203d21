/*
 * pipeline_worker.c
 *	  A worker: a process that runs a pipeline, or its share of the shards.
 *
 * A worker is connected as the pipeline's owner, so that the command can do
 * nothing that the owner could not do.  After an error it notes the error in
 * the pipeline's row and ends; the supervisor starts another worker when it is
 * time to try again.  A worker that the supervisor tells to end does so at
 * once, and notes nothing.
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
#include "pipeline/source_kind.h"
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
 * How often an idle worker calls tend().  If the stream's next poll is due
 * soon after, it waits for that.
 */
#define TEND_INTERVAL_MS 500

static const PipelineSource *read_source = NULL;	/* for keep_reach(): NULL
													 * before it is read, and
													 * after another session
													 * has moved positions */

/* For the handler of WORKER_END_SIGNAL. */
static volatile sig_atomic_t end_wanted = false;
static volatile sig_atomic_t can_cancel = false;	/* it may cancel queries */

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

/* Is the error that is being handled due to WORKER_END_SIGNAL? */
static bool
is_told_to_end(void)
{
	return end_wanted && geterrcode() == ERRCODE_QUERY_CANCELED;
}

/* Note that a batch has failed, and wait until it is to be tried again. */
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

/*
 * If a batch has failed after some of its records were published, wait and let
 * this same process try it again: only it knows which records those are.
 */
static bool
recover(const Pipeline *pipeline, int tries)
{
	MemoryContext cxt = CurrentMemoryContext;
	ErrorData  *error;

	if (!stream_outbox_has_sent() || is_told_to_end())
		return false;
	error = CopyErrorData();
	if (pipeline_failure_is_final(error))
		return false;
	EmitErrorReport();
	FlushErrorState();
	AbortCurrentTransaction();
	MemoryContextSwitchTo(cxt);
	wait_to_try_again(pipeline, error, tries);
	return true;
}

/* Wait until the pipeline is not paused. */
static bool
admit(const PipelineRun *run, const Batch *batch)
{
	const PipelineSource *source = pipeline_run_source(run);

	if (pipeline_run_has_begun(run))
		pipeline_pause_wait(source->pipeline, source->transactions);
	pipeline_run_report(run, batch);
	return true;
}

static const PipelineHost host = {
	.transactions = {worker_begin, worker_commit, AbortCurrentTransaction},
	.admit = admit,
	.recover = recover
};

/* Periodic work between batches. */
static void
tend(PipelineRun *run)
{
	PipelineSource *source = pipeline_run_source(run);

	pipeline_reach_tell(source);
	pipeline_reach_report(source);
	if (pipeline_run_has_begun(run) && source->ops->tend != NULL)
		source->ops->tend(source);
	clock_serve_interrupts();
	(void) worker_reload_config();
}

/* Tell crash_count whether the worker has applied records or is idle. */
static void
note_step(StepResult step)
{
	if (step == STEP_APPLIED)
		crash_count_live(true);
	if (step == STEP_UNREACHED || step == STEP_IDLE)
		crash_count_live(false);
	if (step == STEP_IDLE)
		worker_report_stat();
}

/* Before the process ends: note how far the source was read. */
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
 * Read and apply batches.  Returns if another session was first, or the source
 * or a limit was altered.  Raises an error if the process is told to end, a
 * batch fails, or a record stops the pipeline.
 */
static void
run_pipeline(const Pipeline *pipeline, int slot)
{
	int64		max_batch_bytes = guc_max_batch_bytes();
	PipelineRun *run;
	StepResult	step;

	if (!pipeline_read_only_wait(pipeline, slot))
		return;

	/*
	 * A relation that is queried anew for each batch is not watched: VACUUM
	 * and ANALYZE of it would count as changes.
	 */
	pipeline_watch_begin(source_kind_of(pipeline)->is_read_once ?
						 pipeline->source : InvalidOid);
	worker_begin();
	run = pipeline_run_open(TopMemoryContext, pipeline, slot, READ_FOREVER,
							&host);
	pipeline_watch_only(pipeline->owner, pipeline_run_servers(run));
	worker_commit();
	stream_outbox_remember(true);
	do
	{
		step = pipeline_run_step(run, TEND_INTERVAL_MS);
		if (step == STEP_FENCED)
		{
			ereport(LOG,
					(errmsg("pipeline \"%s\" was changed, or moved by another session; beginning anew",
							pipeline->name)));
			read_source = NULL;
			return;
		}
		if (pipeline_run_has_begun(run))
			read_source = pipeline_run_source(run);
		note_step(step);
		tend(run);
	} while (!pipeline_watch_changed() && !pipeline_is_read_only() &&
			 max_batch_bytes == guc_max_batch_bytes());
}

/*
 * Note why the pipeline failed, and when to try again, unless the error ends
 * the pipeline.  If transactions have become read-only meanwhile, the row
 * cannot be written, and that is the reason of the error, not a failure.
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
 * Load the pipeline that this process is to run, into TopMemoryContext; NULL
 * if the pipeline has changed meanwhile, or there is no room for this worker.
 * From here on a crash of this process is counted.
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
	 * In a deadlock with another session, a DROP EXTENSION say, the first to
	 * look for deadlocks is canceled.  That is to be the worker, as it can
	 * try again.
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
