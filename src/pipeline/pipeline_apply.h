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
 * rejects, and the others are applied.  Errors that are not a record's fault
 * are thrown.  Returns the rows that were affected.  When
 * pipeline_apply_gives_up() afterwards, not all was applied.
 */
extern uint64 pipeline_apply(PipelineSink *sink, Batch *batch);

/*
 * The same for a batch whose records need not follow each other in their source:
 * others may lie between them.
 */
extern uint64 pipeline_apply_scattered(PipelineSink *sink, Batch *batch);

/*
 * Publish what the command has put into streams, which was held so far; last of
 * all that is done before the transaction commits.
 */
extern void pipeline_apply_publish(PipelineSink *sink);

/*
 * The batch has more rejects than the pipeline's on_error and max_errors
 * allow.
 */
extern bool pipeline_apply_gives_up(const Pipeline *pipeline,
									const Batch *batch);

#endif							/* TRACKING_PIPELINE_PIPELINE_APPLY_H */
