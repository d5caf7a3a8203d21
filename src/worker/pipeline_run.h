/*
 * pipeline_run.h
 *	  A pipeline at work, whoever runs it: a worker or CALL run_pipeline.
 *
 * The caller owns the transactions: a batch is fetched with none open, and
 * applied in one.
 */
#ifndef TRACKING_WORKER_PIPELINE_RUN_H
#define TRACKING_WORKER_PIPELINE_RUN_H

#include "postgres.h"

#include "stream/stream_reader.h"
#include "worker/pipeline_catalog.h"

typedef struct PipelineRun PipelineRun;

/*
 * Open a run in cxt; in a transaction.  It reads the shards that are assigned
 * to worker number slot, or all of them if slot is -1.  pipeline must live as
 * long.
 */
extern PipelineRun *pipeline_run_open(MemoryContext cxt,
									  const Pipeline *pipeline, int slot,
									  ReadUntil until);

/*
 * Ask the stream for its shards (KinesisShard *), at first; without a
 * transaction.  Raises an error, as pipeline_run_check() does, if it is not
 * the stream that the pipeline has read.
 */
extern List *pipeline_run_list(PipelineRun *run);

/* Begin: read those shards from their positions on; in a transaction. */
extern void pipeline_run_begin(PipelineRun *run, List *shards);

/*
 * Read shards, too, that the stream has got since, and those that waited; in a
 * transaction.
 */
extern void pipeline_run_add(PipelineRun *run, List *shards);

/*
 * A shard of this worker waits for a parent that another one reads: call
 * pipeline_run_add() again in a while.
 */
extern bool pipeline_run_waits(const PipelineRun *run);

/*
 * Before a batch is applied, without a transaction: if it has gaps, ask whether
 * the stream is still the one that the pipeline has read.  One that was deleted
 * and created again under its name is not: its sequence numbers are others.
 */
extern void pipeline_run_check(PipelineRun *run, const Batch *batch);

/* The error that was raised last is one that trying again cannot mend. */
extern bool pipeline_run_is_hopeless(void);

extern StreamReader *pipeline_run_reader(PipelineRun *run);

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
 * letters, its gaps and its history; in a transaction.
 */
extern ApplyResult pipeline_run_apply(PipelineRun *run, Batch *batch);

/* Why the pipeline is to stop after the last batch; NULL: go on. */
extern const ErrorData *pipeline_run_stop(const PipelineRun *run);

/* What the run does now, for pg_stat_activity. */
extern void pipeline_run_report(const PipelineRun *run, const Batch *batch);

#endif							/* TRACKING_WORKER_PIPELINE_RUN_H */
