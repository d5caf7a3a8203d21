/*
 * pipeline_keeper.h
 *	  Makes what runs of a pipeline what should run; for a supervisor.
 */
#ifndef TRACKING_WORKER_PIPELINE_KEEPER_H
#define TRACKING_WORKER_PIPELINE_KEEPER_H

#include "postgres.h"

#include "worker/pipeline_state.h"

/* How long a supervisor waits for news, should a word of a change be lost. */
#define KEEPER_CYCLE_MS 10000

/* Forget those that are no more; true if there were any. */
extern bool pipeline_keeper_forget(List *states);

/* Before the workers are shared out: fill in what is to be filled in. */
extern void pipeline_keeper_prepare(PipelineState *state);

/*
 * Start and end workers so that the pipeline has its share of them, or note why
 * it has none.  Without a transaction.  Returns milliseconds until it is to be
 * looked at again, at the latest.
 */
extern long pipeline_keeper_keep(PipelineState *state);

/* For how many workers the server has slots, as far as that is known. */
extern int	pipeline_keeper_slots(void);

/* The limits may have been changed: pipelines may get more workers at once. */
extern void pipeline_keeper_reconsider(void);

#endif							/* TRACKING_WORKER_PIPELINE_KEEPER_H */
