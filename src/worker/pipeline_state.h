/*
 * pipeline_state.h
 *	  The pipelines of a database as its supervisor sees them.
 *
 * The supervisor does not wait for a row of tracking.pipeline that is locked:
 * the owner of a pipeline may keep its row locked for any length of time, and
 * other pipelines must not have to wait for that.
 */
#ifndef TRACKING_WORKER_PIPELINE_STATE_H
#define TRACKING_WORKER_PIPELINE_STATE_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "pipeline/pipeline_role.h"

/* A process that runs a pipeline. */
typedef struct PipelineRunner
{
	int			pid;
	int			slot;			/* the worker's number; -1: a session in CALL
								 * run_pipeline() */
} PipelineRunner;

typedef struct PipelineState
{
	int32		id;
	char	   *name;
	Oid			owner;
	bool		of_superuser;	/* the owner is one */
	bool		enabled;		/* and may run in this database, on this
								 * server */
	bool		is_home;		/* see pipeline_home.h */
	bool		held_back;		/* enabled in its row, but may not run here */
	const PipelineRefusal *refusal; /* why its owner may have no worker, or
									 * NULL */
	int			allowed;		/* workers, by its settings and the limits */
	int			granted;		/* workers to which its shards are assigned */
	int64		generation;
	int			failures;		/* in a row */
	int64		retry_ms;		/* until it may be started again, <= 0: now */
	List	   *runners;		/* PipelineRunner * */

	/* set by pipeline_keeper_prepare() */
	int			n_working;		/* workers that run or start */
	bool		may_grow;		/* it may get more workers while it works */

	/* set by worker_share_out() */
	int			share;			/* workers that it gets */
	bool		role_is_full;	/* its owner may not have more workers */
} PipelineState;

/* All pipelines, PipelineState *, in the current context. */
extern List *pipeline_states(void);

/*
 * Increment the generation of pipelines whose workers no longer have about the
 * same number of shards, so that their workers are replaced.
 */
extern void pipeline_rebalance(void);

/*
 * Have the pipeline's shards assigned to so many workers: note the number in
 * its row and in *state.  The workers that run now must be replaced.  reason:
 * why the pipeline has fewer workers than its setting, if it has.  Returns
 * false if another session has the row locked, or has changed it.
 */
extern bool pipeline_grant(PipelineState *state, int workers,
						   const char *reason);

#endif							/* TRACKING_WORKER_PIPELINE_STATE_H */
