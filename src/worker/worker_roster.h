/*
 * worker_roster.h
 *	  The workers that this supervisor has started.
 *
 * The locks (pipeline_lock.h) tell who runs a pipeline; but a worker that is
 * starting has none yet, and a command may have released those of its worker
 * (pg_advisory_unlock_all()).
 */
#ifndef TRACKING_WORKER_WORKER_ROSTER_H
#define TRACKING_WORKER_WORKER_ROSTER_H

#include "postgres.h"

#include "nodes/bitmapset.h"
#include "worker/pipeline_state.h"

/* The slots of the pipeline whose workers run or start. */
extern Bitmapset *worker_roster_slots(const PipelineState *state);

/* How many workers of all pipelines, that were started here, run or start. */
extern int	worker_roster_count(void);

/* Does a session run the pipeline, by CALL run_pipeline()? */
extern bool worker_roster_session(const PipelineState *state);

/*
 * End the workers of slots from n_kept on, and the stale ones: those that were
 * started with other settings than the current ones.  Returns true if there
 * are no stale workers.  Only then may new ones be started, so that a shard
 * that is assigned to another worker is never read by two.
 */
extern bool worker_roster_end(const PipelineState *state, int n_kept);

/* End workers of pipelines that no longer exist; true if there were any. */
extern bool worker_roster_end_orphans(List *states);

typedef enum RosterStart
{
	ROSTER_STARTED,
	ROSTER_LATER,				/* the last one ended too recently: try again
								 * in *wait_ms */
	ROSTER_NO_SLOT				/* no background worker slot is free */
} RosterStart;

/*
 * Start the worker of a slot that has none.  *n_in_vain is how many of its
 * last workers in a row ended in vain (see crash_count.h): only the server's
 * log has their errors.
 */
extern RosterStart worker_roster_start(const PipelineState *state, int slot,
									   long *wait_ms, int *n_in_vain);

#endif							/* TRACKING_WORKER_WORKER_ROSTER_H */
