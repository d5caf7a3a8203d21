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
#include "worker/worker.h"

/* Between a failure and the next try. */
#define RETRY_BASE_MS 1000
#define RETRY_CAP_MS 60000

/* How often a shard that cannot be read is told of. */
#define TROUBLE_INTERVAL_MS 10000

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
}

/* Read the shards that the stream has got. */
static void
add_found(PipelineRun *run)
{
	List	   *found = stream_reader_found(pipeline_run_reader(run));

	if (found == NIL)
		return;
	begin_transaction();
	pipeline_run_add(run, found);
	commit_transaction();
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
	pipeline_run_report(run, batch);
	pipeline_run_check(run, batch);
	begin_transaction();
	if (!pipeline_run_apply(run, batch))
	{
		AbortCurrentTransaction();
		return false;
	}
	commit_transaction();
	stream_reader_release(pipeline_run_reader(run), batch);
	return true;
}

/* Read and apply until the process is ended, or another was first. */
static void
run_pipeline(const Pipeline *pipeline)
{
	/* what a round leaves lying about */
	MemoryContext round_cxt = AllocSetContextCreate(TopMemoryContext,
													"tracking_fdw round",
													ALLOCSET_DEFAULT_SIZES);
	PipelineRun *run;
	StreamReader *reader;

	begin_transaction();
	run = pipeline_run_open(TopMemoryContext, pipeline, READ_FOREVER);
	commit_transaction();
	reader = pipeline_run_reader(run);
	begin_run(run);
	for (;;)
	{
		Batch	   *batch;

		MemoryContextSwitchTo(round_cxt);
		MemoryContextReset(round_cxt);
		pipeline_run_report(run, NULL);
		batch = stream_reader_next_batch(reader);
		if (batch != NULL && !apply(run, batch))
		{
			ereport(LOG,
					(errmsg("positions of pipeline \"%s\" were moved by another session; reading them again",
							pipeline->name)));
			return;
		}
		note_trouble(pipeline, reader);
		add_found(run);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
	}
}

/*
 * Note why the pipeline failed, and when to try again.  A source or target
 * that was dropped does not come back, nor do records that the stream has
 * dropped: then the pipeline is stopped.
 */
static void
record_failure(const Pipeline *pipeline, const ErrorData *error)
{
	int64		retry_ms = RETRY_BASE_MS / 2 +
		backoff_delay_ms(pipeline->failures, RETRY_BASE_MS, RETRY_CAP_MS,
						 backoff_random());

	begin_transaction();
	if (pipeline_run_is_hopeless() ||
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
	cxt = TopMemoryContext;
	if (!pipeline_lock_run(args.pipeline))
		proc_exit(0);

	begin_transaction();
	MemoryContextSwitchTo(cxt);
	pipeline = pipeline_load_id(args.pipeline);
	commit_transaction();
	if (pipeline == NULL || !pipeline->enabled)
		proc_exit(0);
	pgstat_report_appname(psprintf("tracking_fdw: %s", pipeline->name));

	PG_TRY();
	{
		run_pipeline(pipeline);
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
