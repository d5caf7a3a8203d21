/*
 * pipeline_worker.c
 *	  The process that runs one pipeline.
 *
 * It is connected as the pipeline's owner, so that nothing a command does can
 * reach further than its owner could.  On an error it notes it and ends; the
 * supervisor starts another when it is time.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/compat.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "sink/pipeline_lock.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "worker/pipeline_run.h"
#include "worker/pipeline_watch.h"
#include "worker/worker.h"

/* Between a failure and the next try. */
#define RETRY_BASE_MS 1000
#define RETRY_CAP_MS 60000

/* How often an idle worker looks at what else there is to do. */
#define TEND_INTERVAL_MS 500

/* How often a shard that cannot be read is told of. */
#define TROUBLE_INTERVAL_MS 10000

static bool stop_wanted = false;	/* the error is to stop the pipeline */
static int64 added_ms;			/* when the reader got the shards it may read */

static void
begin_transaction(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
}

static void
commit_transaction(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(false);
}

static void
begin_run(PipelineRun *run)
{
	MemoryContext cxt = AllocSetContextCreate(TopMemoryContext,
											  "tracking_fdw shards",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	List	   *shards = pipeline_run_list(run);

	MemoryContextSwitchTo(old);
	begin_transaction();
	pipeline_run_begin(run, shards);
	commit_transaction();
	MemoryContextDelete(cxt);
	added_ms = clock_now_ms();
}

/* Read shards that the stream has got, or that need wait no longer. */
static void
add_shards(PipelineRun *run)
{
	List	   *found = stream_reader_found(pipeline_run_reader(run));

	if (found == NIL && (!pipeline_run_waits(run) ||
						 clock_now_ms() < added_ms + TEND_INTERVAL_MS))
		return;
	begin_transaction();
	pipeline_run_add(run, found);
	commit_transaction();
	added_ms = clock_now_ms();
}

/*
 * A shard that cannot be read holds up no other, so the worker goes on; but
 * its owner should know.
 */
static void
note_trouble(const Pipeline *pipeline, StreamReader *reader)
{
	static int64 noted_ms = 0;
	const char *shard_id;
	const AwsError *trouble = stream_reader_trouble(reader, &shard_id);
	ErrorData	error = {0};

	if (trouble == NULL || clock_now_ms() < noted_ms + TROUBLE_INTERVAL_MS)
		return;
	noted_ms = clock_now_ms();
	begin_transaction();
	error.sqlerrcode = trouble->sqlstate;
	error.message = shard_id != NULL ?
		psprintf("could not read shard \"%s\"", shard_id) :
		pstrdup("could not look for new shards");
	error.detail = aws_error_detail(trouble);
	error.hint = unconstify(char *, trouble->hint);
	pipeline_note_trouble(pipeline->id, &error);
	commit_transaction();
}

/* False if another session has moved the positions. */
static bool
apply(PipelineRun *run, Batch *batch)
{
	ApplyResult result;

	pipeline_run_report(run, batch);
	pipeline_run_check(run, batch);
	do
	{
		begin_transaction();
		result = pipeline_run_apply(run, batch);
		if (result == APPLY_DONE)
			commit_transaction();
		else
			AbortCurrentTransaction();
	} while (result == APPLY_AGAIN);
	stream_reader_release(pipeline_run_reader(run), batch);
	return result == APPLY_DONE;
}

/* What comes up now and then, between batches. */
static void
tend(PipelineRun *run, const Pipeline *pipeline)
{
	note_trouble(pipeline, pipeline_run_reader(run));
	add_shards(run);
	CHECK_FOR_INTERRUPTS();
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
}

/*
 * Read and apply until the process is ended, another was first, the source was
 * altered, or a record stops the pipeline: then that error is thrown.
 */
static void
run_pipeline(const Pipeline *pipeline, int slot)
{
	/* what a round leaves lying about */
	MemoryContext round_cxt = AllocSetContextCreate(TopMemoryContext,
													"tracking_fdw round",
													ALLOCSET_DEFAULT_SIZES);
	PipelineRun *run;

	pipeline_watch_begin(pipeline->source);
	begin_transaction();
	run = pipeline_run_open(TopMemoryContext, pipeline, slot, READ_FOREVER);
	commit_transaction();
	begin_run(run);
	for (;;)
	{
		Batch	   *batch;

		MemoryContextSwitchTo(round_cxt);
		MemoryContextReset(round_cxt);
		pipeline_run_report(run, NULL);
		batch = stream_reader_next_batch(pipeline_run_reader(run),
										 TEND_INTERVAL_MS);
		if (batch != NULL && !apply(run, batch))
		{
			ereport(LOG,
					(errmsg("positions of pipeline \"%s\" were moved by another session; reading them again",
							pipeline->name)));
			return;
		}
		if (pipeline_run_stop(run) != NULL)
		{
			stop_wanted = true;
			ThrowErrorData(unconstify(ErrorData *, pipeline_run_stop(run)));
		}
		tend(run, pipeline);
		if (pipeline_watch_changed())
			return;
	}
}

/*
 * Note why the pipeline failed, and when to try again.  A source or target
 * that was dropped does not come back, nor do records that the stream has
 * dropped: then the pipeline is stopped, as it is by a record with on_error
 * 'stop'.
 */
static void
record_failure(const Pipeline *pipeline, const ErrorData *error)
{
	int64		retry_ms = RETRY_BASE_MS / 2 +
		backoff_delay_ms(pipeline->failures, RETRY_BASE_MS, RETRY_CAP_MS,
						 backoff_random());

	begin_transaction();
	if (stop_wanted || pipeline_run_is_hopeless() ||
		get_rel_relkind(pipeline->source) == '\0' ||
		(OidIsValid(pipeline->target) &&
		 get_rel_relkind(pipeline->target) == '\0'))
		retry_ms = -1;
	pipeline_record_failure(pipeline->id, error, retry_ms);
	commit_transaction();
}

void
tracking_fdw_worker_main(Datum arg)
{
	MemoryContext cxt;
	WorkerArgs	args;
	Pipeline   *pipeline;

	(void) arg;
	memcpy(&args, MyBgworkerEntry->bgw_extra, sizeof(args));
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(args.database, args.owner,
											  COMPAT_BYPASS_LOGIN_CHECK);
	/*
	 * Should it wait for somebody who waits for it, a DROP EXTENSION say, the
	 * worker is to be the one that gives way: it can try again.
	 */
	SetConfigOption("deadlock_timeout", "100ms", PGC_SUSET, PGC_S_OVERRIDE);
	cxt = TopMemoryContext;
	if (!pipeline_lock_worker(args.pipeline, args.slot))
		proc_exit(0);

	begin_transaction();
	MemoryContextSwitchTo(cxt);
	pipeline = pipeline_load_id(args.pipeline);
	commit_transaction();
	if (pipeline == NULL || !pipeline->enabled ||
		pipeline->generation != args.generation)
		proc_exit(0);
	pgstat_report_appname(psprintf("tracking_fdw: %s", pipeline->name));

	PG_TRY();
	{
		run_pipeline(pipeline, args.slot);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		EmitErrorReport();
		FlushErrorState();
		AbortOutOfAnyTransaction();
		record_failure(pipeline, error);
	}
	PG_END_TRY();
	proc_exit(0);
}
