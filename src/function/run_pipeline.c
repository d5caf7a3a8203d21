/*
 * run_pipeline.c
 *	  CALL tracking.run_pipeline(): runs a pipeline in this session, until it
 *	  has applied what the source had at the start.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "executor/spi.h"
#include "function/pipeline_sql.h"
#include "miscadmin.h"
#include "pipeline/pipeline_home.h"
#include "pipeline/pipeline_reach.h"
#include "pipeline/pipeline_run.h"
#include "stream/stream_outbox.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "worker/pipeline_limits.h"
#include "worker/pipeline_lock.h"
#include "worker/pipeline_pause.h"

PG_FUNCTION_INFO_V1(tracking_run_pipeline);

/* How long to wait for a batch before asking whether the end is reached. */
#define BATCH_WAIT_MS 1000

static void
begin_work(void)
{
	PushActiveSnapshot(GetTransactionSnapshot());
}

/*
 * Commit.  SPI begins another transaction at once, which has no snapshot until
 * begin_work().
 */
static void
commit_work(void)
{
	PopActiveSnapshot();
	SPI_commit();
}

static void
rollback_work(void)
{
	PopActiveSnapshot();
	SPI_rollback();
}

/*
 * Is the pipeline paused now (pause_between)?  Then also say so by a notice.
 */
static bool
is_paused(const Pipeline *pipeline)
{
	TimestampTz until;

	if (!pipeline_is_paused(pipeline, &until))
		return false;
	ereport(NOTICE,
			(errmsg("pipeline \"%s\" is paused until %s", pipeline->name,
					timestamptz_to_str(until)),
			 errdetail("Its pause_between is \"%s\".",
					   pipeline->pause_between)));
	return true;
}

static bool
admit(const PipelineRun *run, const Batch *batch)
{
	clock_serve_interrupts();
	return batch == NULL || !is_paused(pipeline_run_source(run)->pipeline);
}

static const PipelineHost host = {
	.transactions = {begin_work, commit_work, rollback_work},
	.admit = admit
};

pg_noreturn static void
raise_fenced(const Pipeline *pipeline)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("pipeline \"%s\" was changed, or moved by another session",
					pipeline->name),
			 errhint("Call tracking.run_pipeline again.")));
}

/*
 * Apply batch after batch, each in a transaction of its own, until the tip
 * that the source had at the start.
 */
static void
run_to_tip(MemoryContext cxt, const Pipeline *pipeline)
{
	MemoryContext old = MemoryContextSwitchTo(cxt);
	PipelineRun *run;
	PipelineSource *source;
	StepResult	step;

	begin_work();
	run = pipeline_run_open(cxt, pipeline, -1, READ_TO_TIP, &host);
	commit_work();
	source = pipeline_run_source(run);
	stream_outbox_remember(true);
	do
	{
		step = pipeline_run_step(run, BATCH_WAIT_MS);
		if (step == STEP_FENCED)
			raise_fenced(pipeline);
		if (pipeline_run_has_begun(run))
			pipeline_reach_report(source);
	} while (step != STEP_HELD &&
			 !(step == STEP_IDLE &&
			   (source->ops->at_end(source) || is_paused(pipeline))));
	begin_work();
	pipeline_reach_keep(source);
	commit_work();
	MemoryContextSwitchTo(old);
}

Datum
tracking_run_pipeline(PG_FUNCTION_ARGS)
{
	MemoryContext cxt;
	MemoryContext old;
	Pipeline   *volatile pipeline = NULL;
	volatile bool locked = false;

	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("run_pipeline cannot run inside a transaction block"),
				 errdetail("It commits after every batch."),
				 errhint("CALL it by itself, outside BEGIN ... COMMIT.")));
	pipeline_sql_not_null(fcinfo, 0, "name");

	cxt = AllocSetContextCreate(TopMemoryContext, "tracking_fdw run_pipeline",
								ALLOCSET_DEFAULT_SIZES);
	PG_TRY();
	{
		old = MemoryContextSwitchTo(cxt);
		pipeline = pipeline_sql_get(PG_GETARG_DATUM(0));
		pipeline_home_check(pipeline);
		pipeline->batch_bytes = pipeline_limits_batch_bytes(pipeline);
		MemoryContextSwitchTo(old);
		SPI_connect_ext(SPI_OPT_NONATOMIC);
		locked = pipeline_lock_run(pipeline->id);
		if (locked && !is_paused(pipeline))
			run_to_tip(cxt, pipeline);
		else if (!locked)
			ereport(NOTICE,
					(errmsg("pipeline \"%s\" is already running",
							pipeline->name)));
		SPI_finish();
	}
	PG_FINALLY();
	{
		stream_outbox_remember(false);
		if (locked)
			pipeline_unlock_run(pipeline->id);
		MemoryContextDelete(cxt);
	}
	PG_END_TRY();
	PG_RETURN_VOID();
}
