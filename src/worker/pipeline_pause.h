/*
 * pipeline_pause.h
 *	  The time of day (pause_between) at which a pipeline applies no batches.
 *
 * Such a window is text like '02:00-04:00', and may span midnight.  Its times
 * are in the time zone of the session that runs the pipeline; a worker has the
 * one with which sessions of the pipeline's owner begin.
 */
#ifndef TRACKING_WORKER_PIPELINE_PAUSE_H
#define TRACKING_WORKER_PIPELINE_PAUSE_H

#include "postgres.h"

#include "pipeline/pipeline_source.h"

/* Raise an error if the text is not a valid window. */
extern void pipeline_pause_check(const char *window);

/* Is it now within the pipeline's window?  Then *until is when that ends. */
extern bool pipeline_is_paused(const Pipeline *pipeline, TimestampTz *until);

/*
 * For a worker, between transactions: wait until the window has ended.
 * Meanwhile the pipeline's status says that it is paused.
 */
extern void pipeline_pause_wait(const Pipeline *pipeline,
								const PipelineTransactions *transactions);

#endif							/* TRACKING_WORKER_PIPELINE_PAUSE_H */
