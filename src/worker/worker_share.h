/*
 * worker_share.h
 *	  How many workers each pipeline gets when there are not enough.
 */
#ifndef TRACKING_WORKER_WORKER_SHARE_H
#define TRACKING_WORKER_WORKER_SHARE_H

#include "postgres.h"

#include "worker/pipeline_lock.h"
#include "worker/pipeline_state.h"
#include "worker/worker_room.h"

/*
 * Set the share of every pipeline of this database (states: PipelineState *).
 * Every role gets a worker before any role gets a second one, and every
 * pipeline gets one before any gets more.  As far as that allows, workers that
 * run are kept.  Returns what is lacking.
 */
extern PipelineNeed worker_share_out(List *states, const WorkerRoom *room);

#endif							/* TRACKING_WORKER_WORKER_SHARE_H */
