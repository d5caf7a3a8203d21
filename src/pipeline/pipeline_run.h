/*
 * pipeline_run.h
 *	  A pipeline at work, whoever runs it: a worker or CALL run_pipeline.
 *
 * A run goes on in steps: each fetches a batch with no transaction open, and
 * applies it in one.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_RUN_H
#define TRACKING_PIPELINE_PIPELINE_RUN_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"
#include "nodes/pg_list.h"
#include "pipeline/pipeline_source.h"

typedef struct PipelineRun PipelineRun;

/* The process that runs a pipeline, called with no transaction open. */
typedef struct PipelineHost
{
	PipelineTransactions transactions;

	/*
	 * Before a batch is fetched (batch is NULL), and before it is applied: wait
	 * until that may be done.  False: it is not to be done, and the run ends.
	 */
	bool		(*admit) (const PipelineRun *run, const Batch *batch);

	/*
	 * In a PG_CATCH block, with a transaction open: to apply a batch has failed,
	 * after it had been tried so often before.  True: the error is dealt with,
	 * the transaction is aborted, and the batch is to be tried again now.
	 * False, or NULL: the error is thrown on.
	 */
	bool		(*recover) (const Pipeline *pipeline, int tries);
} PipelineHost;

/*
 * Open a run in cxt; in a transaction.  Raises an error if the pipeline's
 * owner may not read its source: nothing is fetched for him then.  It reads
 * the shards that are assigned to worker number slot, or all of them if slot
 * is -1.  pipeline and host must live as long.
 */
extern PipelineRun *pipeline_run_open(MemoryContext cxt,
									  const Pipeline *pipeline, int slot,
									  ReadUntil until,
									  const PipelineHost *host);

/* The foreign servers that it goes to, a List of Oid; in a transaction. */
extern List *pipeline_run_servers(const PipelineRun *run);

/* Where its batches come from. */
extern PipelineSource *pipeline_run_source(const PipelineRun *run);

typedef enum StepResult
{
	STEP_UNREACHED,				/* the source has not answered yet */
	STEP_IDLE,					/* nothing came */
	STEP_APPLIED,				/* a batch of records is committed */
	STEP_MOVED,					/* only positions have moved */
	STEP_FENCED,				/* another session has changed the pipeline or
								 * moved its positions: open another run */
	STEP_HELD					/* the host did not admit it */
} StepResult;

/*
 * One step: begin to read, or fetch a batch, for max_wait_ms; and apply it.
 * Without a transaction.  Raises an error, behind what could be applied, if the
 * pipeline is to stop at a record.  Returns in a memory context that the next
 * step resets.
 */
extern StepResult pipeline_run_step(PipelineRun *run, long max_wait_ms);

/* Is its source being read? */
extern bool pipeline_run_has_begun(const PipelineRun *run);

/* What the run does now, for pg_stat_activity. */
extern void pipeline_run_report(const PipelineRun *run, const Batch *batch);

#endif							/* TRACKING_PIPELINE_PIPELINE_RUN_H */
