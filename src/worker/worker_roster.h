/*
 * worker_roster.h
 *	  The workers that this supervisor has started.
 *
 * Who runs a pipeline is told by the locks; but a worker has none yet while it
 * starts, and may have lost them by what its command did.
 */
#ifndef TRACKING_WORKER_WORKER_ROSTER_H
#define TRACKING_WORKER_WORKER_ROSTER_H

#include "postgres.h"

#include "nodes/bitmapset.h"
#include "worker/pipeline_state.h"

/* The slots whose workers are at work, or about to be. */
extern Bitmapset *worker_roster_slots(const PipelineState *state);

/* How many workers are so, of all pipelines. */
extern int	worker_roster_count(void);

/* Does a session run the pipeline (CALL run_pipeline)? */
extern bool worker_roster_session(const PipelineState *state);

/*
 * End the workers of slots from n_kept on, and those that were not started with
 * the settings that there are now.  True if there were none of the latter: only
 * then may others start, so that a shard that changes hands is never read by
 * two.
 */
extern bool worker_roster_end(const PipelineState *state, int n_kept);

/* End the workers of pipelines that are no more; true if there were any. */
extern bool worker_roster_end_orphans(List *states);

typedef enum RosterStart
{
	ROSTER_STARTED,
	ROSTER_LATER,				/* one ended a moment ago: in *wait_ms */
	ROSTER_NO_SLOT				/* the server has none to register it */
} RosterStart;

/*
 * Start the worker of a slot that has none.  *n_in_vain is how many of the last
 * ones ended in vain (see crash_count.h), of which only the server's log tells.
 */
extern RosterStart worker_roster_start(const PipelineState *state, int slot,
									   long *wait_ms, int *n_in_vain);

#endif							/* TRACKING_WORKER_WORKER_ROSTER_H */
