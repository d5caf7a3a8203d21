/*
 * pipeline_keeper.h
 *	  Starts and ends the workers of one pipeline; for a supervisor.
 */
#ifndef TRACKING_WORKER_PIPELINE_KEEPER_H
#define TRACKING_WORKER_PIPELINE_KEEPER_H

#include "postgres.h"

#include "worker/pipeline_state.h"

/* A supervisor looks so often even if nothing has woken it. */
#define KEEPER_CYCLE_MS 10000

/*
 * Forget pipelines that are not in states, as they no longer exist; true if
 * there were any.
 */
extern bool pipeline_keeper_forget(List *states);

/* Fill in the members of *state that worker_share_out() needs. */
extern void pipeline_keeper_prepare(PipelineState *state);

/*
 * Start and end workers so that the pipeline has as many as state->share says,
 * or note in its row why it has none.  Called without a transaction.  Returns
 * after how many milliseconds this must be called again at the latest.
 */
extern long pipeline_keeper_keep(PipelineState *state);

/*
 * The most workers for which the server has slots, if a slot was lacking just
 * now; else INT_MAX.
 */
extern int	pipeline_keeper_slots(void);

/*
 * To be called when limits may have changed: pipelines may get more workers at
 * once, without the usual delay.
 */
extern void pipeline_keeper_reconsider(void);

#endif							/* TRACKING_WORKER_PIPELINE_KEEPER_H */
