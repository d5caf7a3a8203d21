/*
 * pipeline_apply.h
 *	  Applying a batch in which records may be at fault.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_APPLY_H
#define TRACKING_PIPELINE_PIPELINE_APPLY_H

#include "postgres.h"

#include "pipeline/pipeline_sink.h"

/*
 * Write the records of a batch to a sink, in the caller's transaction.  Records
 * that cannot be decoded, or that the command fails on, become the batch's
 * rejects; the others are applied.  Errors that are not a record's fault are
 * thrown.  Returns the number of rows affected.  If pipeline_apply_gives_up()
 * is true afterwards, some records were not tried, and the caller must abort
 * the transaction.
 */
extern uint64 pipeline_apply(PipelineSink *sink, Batch *batch);

/*
 * The same for a batch whose records need not be consecutive in their source,
 * such as dead letters that are replayed.
 */
extern uint64 pipeline_apply_scattered(PipelineSink *sink, Batch *batch);

/*
 * Publish the records that the command has put into streams, which the outbox
 * has held back so far.  To be called last, just before the transaction
 * commits.
 */
extern void pipeline_apply_publish(PipelineSink *sink);

/*
 * Has the batch more rejects than the pipeline's on_error and max_errors
 * allow?
 */
extern bool pipeline_apply_gives_up(const Pipeline *pipeline,
									const Batch *batch);

#endif							/* TRACKING_PIPELINE_PIPELINE_APPLY_H */
