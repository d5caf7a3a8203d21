/*
 * pipeline_pause.h
 *	  The time of day at which a pipeline applies nothing.
 *
 * A window is text, '02:00-04:00', and may span midnight.  It is meant in the
 * time zone of the session that runs the pipeline: of a worker, that which
 * its owner's sessions begin with.
 */
#ifndef TRACKING_WORKER_PIPELINE_PAUSE_H
#define TRACKING_WORKER_PIPELINE_PAUSE_H

#include "postgres.h"

#include "pipeline/pipeline_source.h"

/* Raise an error if text is no window. */
extern void pipeline_pause_check(const char *window);

/* Is it such a time?  Then *until is when it ends. */
extern bool pipeline_is_paused(const Pipeline *pipeline, TimestampTz *until);

/*
 * Wait until it is not, as a worker does between transactions: the pipeline's
 * status says so meanwhile.
 */
extern void pipeline_pause_wait(const Pipeline *pipeline,
								const PipelineTransactions *transactions);

#endif							/* TRACKING_WORKER_PIPELINE_PAUSE_H */
