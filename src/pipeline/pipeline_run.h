/*
 * pipeline_run.h
 *	  A run of a pipeline, in a worker or in CALL tracking.run_pipeline().
 *
 * A run is a loop of steps.  A step fetches a batch with no transaction open,
 * and applies the batch in one transaction.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_RUN_H
#define TRACKING_PIPELINE_PIPELINE_RUN_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"
#include "nodes/pg_list.h"
#include "pipeline/pipeline_source.h"

typedef struct PipelineRun PipelineRun;

/*
 * The functions of the process that runs a pipeline.  They are called with no
 * transaction open unless a comment says otherwise.
 */
typedef struct PipelineHost
{
	PipelineTransactions transactions;

	/*
	 * Called before a batch is fetched (batch is NULL) and before a batch is
	 * applied: wait until the run may do that.  False: the step must not do
	 * it, and returns STEP_HELD.
	 */
	bool		(*admit) (const PipelineRun *run, const Batch *batch);

	/*
	 * Called in a PG_CATCH block, with a transaction open, when applying a
	 * batch has failed; tries is how often it has failed before.  True:
	 * recover has handled the error and aborted the transaction, and the
	 * batch is applied again at once.  False, or recover is NULL: the error
	 * is rethrown.
	 */
	bool		(*recover) (const Pipeline *pipeline, int tries);
} PipelineHost;

/*
 * Open a run, allocated in cxt.  Needs a transaction.  Raises an error if the
 * pipeline's owner may not read its source, before anything is fetched.  The
 * run reads the shards that are assigned to worker number slot, or all shards
 * if slot is -1.  pipeline and host must live as long as the run.
 */
extern PipelineRun *pipeline_run_open(MemoryContext cxt,
									  const Pipeline *pipeline, int slot,
									  ReadUntil until,
									  const PipelineHost *host);

/*
 * The foreign servers that the run reads from and writes to, a List of Oid.
 * Needs a transaction.
 */
extern List *pipeline_run_servers(const PipelineRun *run);

/* The source that the run reads. */
extern PipelineSource *pipeline_run_source(const PipelineRun *run);

typedef enum StepResult
{
	STEP_UNREACHED,				/* the source has not answered yet */
	STEP_IDLE,					/* the source had no batch */
	STEP_APPLIED,				/* a batch of records is committed */
	STEP_MOVED,					/* only positions have moved */
	STEP_FENCED,				/* another session has changed the pipeline or
								 * moved its positions: open another run */
	STEP_HELD					/* the host's admit() returned false */
} StepResult;

/*
 * Do one step, with no transaction open: begin to read the source, or fetch a
 * batch, waiting max_wait_ms for it at most, and apply the batch.  If the
 * pipeline is to stop for records that it cannot apply, raises an error after
 * it has committed what could be applied.  On return the current memory
 * context is one that the next step resets.
 */
extern StepResult pipeline_run_step(PipelineRun *run, long max_wait_ms);

/* Has the source been reached, so that the run reads it now? */
extern bool pipeline_run_has_begun(const PipelineRun *run);

/*
 * Show in pg_stat_activity what the run does now: apply batch, or read its
 * source if batch is NULL.
 */
extern void pipeline_run_report(const PipelineRun *run, const Batch *batch);

#endif							/* TRACKING_PIPELINE_PIPELINE_RUN_H */
