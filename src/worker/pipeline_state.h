/*
 * pipeline_state.h
 *	  The pipelines of a database as its supervisor sees them.
 *
 * What it writes it writes to rows that nobody has locked: the owner of a
 * pipeline may keep its row locked for as long as it likes, and none but that
 * pipeline is to wait for it.
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
	int			slot;			/* of a worker; -1: CALL run_pipeline */
} PipelineRunner;

typedef struct PipelineState
{
	int32		id;
	char	   *name;
	Oid			owner;
	bool		of_superuser;
	bool		enabled;		/* and to run in this database, on this server */
	bool		is_home;		/* see pipeline_home.h */
	bool		held_back;		/* it is enabled, but not to run here */
	const PipelineRefusal *refusal; /* why its owner may have no worker, or
									 * NULL */
	int			allowed;		/* workers, by its settings and the limits */
	int			granted;		/* ... among which its shards are spread */
	int64		generation;
	int			failures;		/* in a row */
	int64		retry_ms;		/* until it may be tried again, <= 0: now */
	List	   *runners;		/* PipelineRunner * */

	/* for the supervisor to fill */
	int			n_working;		/* workers that run or start */
	bool		may_grow;		/* granted may be raised while it works */

	/* by worker_share_out() */
	int			share;			/* workers that it is to have */
	bool		role_is_full;	/* its owner is not to have more of them */
} PipelineState;

/* All pipelines, PipelineState *, in the current context. */
extern List *pipeline_states(void);

/* Replace the workers of pipelines whose shards are no longer spread evenly. */
extern void pipeline_rebalance(void);

/*
 * Have its shards spread among so many workers, by others than are at work;
 * *state says so then.  reason is why they are fewer than it is to have, if
 * they are.  False if somebody has the row locked, or changed it.
 */
extern bool pipeline_grant(PipelineState *state, int workers,
						   const char *reason);

#endif							/* TRACKING_WORKER_PIPELINE_STATE_H */
