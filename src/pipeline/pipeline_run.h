/*
 * pipeline_run.h
 *	  A pipeline at work, whoever runs it: a worker or CALL run_pipeline.
 *
 * The caller owns the transactions: a batch is fetched with none open, and
 * applied in one.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_RUN_H
#define TRACKING_PIPELINE_PIPELINE_RUN_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"
#include "nodes/pg_list.h"
#include "pipeline/pipeline_source.h"

typedef struct PipelineRun PipelineRun;

/*
 * Open a run in cxt; in a transaction.  Raises an error if the pipeline's
 * owner may not read its source: nothing is fetched for him then.  It reads
 * the shards that are assigned to worker number slot, or all of them if slot
 * is -1.  pipeline and transactions must live as long.
 */
extern PipelineRun *pipeline_run_open(MemoryContext cxt,
									  const Pipeline *pipeline, int slot,
									  ReadUntil until,
									  const PipelineTransactions *transactions);

/*
 * Begin to read; without a transaction.  False if the source could not be
 * reached for max_wait_ms: then it is to be called again.
 */
extern bool pipeline_run_begin(PipelineRun *run, long max_wait_ms);

/* The foreign servers that it goes to, a List of Oid; in a transaction. */
extern List *pipeline_run_servers(const PipelineRun *run);

/* Where its batches come from. */
extern PipelineSource *pipeline_run_source(PipelineRun *run);

typedef enum ApplyResult
{
	APPLY_DONE,					/* commit it */
	APPLY_FENCED,				/* another session has moved the positions:
								 * abort, and read them again */
	APPLY_AGAIN					/* the batch was cut off before a record that
								 * stops the pipeline: abort, and apply what
								 * is left; then stop */
} ApplyResult;

/*
 * Apply a batch: move its positions, run the command over it, keep its dead
 * letters, its gaps and its history; in a transaction.  Nothing is applied or
 * kept of what the pipeline's owner may no longer read.
 */
extern ApplyResult pipeline_run_apply(PipelineRun *run, Batch *batch);

/*
 * After a batch that was applied is committed, and before it is released: a
 * store that it has gone into commits, too.
 */
extern void pipeline_run_committed(PipelineRun *run, const Batch *batch);

/*
 * Nothing came.  If all was read and applied, what failed before is over, and
 * the pipeline's row says so.  Without a transaction.
 */
extern void pipeline_run_idle(PipelineRun *run);

/* Why the pipeline is to stop after the last batch; NULL: go on. */
extern const ErrorData *pipeline_run_stop(const PipelineRun *run);

/* What the run does now, for pg_stat_activity. */
extern void pipeline_run_report(const PipelineRun *run, const Batch *batch);

#endif							/* TRACKING_PIPELINE_PIPELINE_RUN_H */
