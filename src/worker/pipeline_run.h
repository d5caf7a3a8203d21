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
 * The command that a pipeline runs over each batch: its own, or the INSERT
 * made of source and target by column name.  Needs a transaction.  Raises an
 * error if they have no column in common, or one of them is gone.
 */
extern char *pipeline_command(const Pipeline *pipeline);

/* Open a run in cxt; in a transaction.  pipeline must live as long. */
extern PipelineRun *pipeline_run_open(MemoryContext cxt,
									  const Pipeline *pipeline,
									  ReadUntil until);

/*
 * Ask the stream for its shards (KinesisShard *), at first; without a
 * transaction.  Raises an error, as pipeline_run_check() does, if it is not
 * the stream that the pipeline has read.
 */
extern List *pipeline_run_list(PipelineRun *run);

/* Begin: read those shards from their positions on; in a transaction. */
extern void pipeline_run_begin(PipelineRun *run, List *shards);

/* Read shards, too, that the stream has got since; in a transaction. */
extern void pipeline_run_add(PipelineRun *run, List *shards);

/*
 * Before a batch is applied, without a transaction: if it has gaps, ask whether
 * the stream is still the one that the pipeline has read.  One that was deleted
 * and created again under its name is not: its sequence numbers are others.
 */
extern void pipeline_run_check(PipelineRun *run, const Batch *batch);

/* The error that was raised last is one that trying again cannot mend. */
extern bool pipeline_run_is_hopeless(void);

extern StreamReader *pipeline_run_reader(PipelineRun *run);

/*
 * Apply a batch: move its positions, run the command over it, keep its gaps
 * and dead letters; in a transaction.  False if another session has moved the
 * positions: then nothing was done, and the caller must abort the transaction
 * and read them again.
 */
extern bool pipeline_run_apply(PipelineRun *run, Batch *batch);

/* What the run does now, for pg_stat_activity. */
extern void pipeline_run_report(const PipelineRun *run, const Batch *batch);

#endif							/* TRACKING_WORKER_PIPELINE_RUN_H */
