/*
 * worker_share.h
 *	  Which pipeline gets how many workers, when there are not enough.
 */
#ifndef TRACKING_WORKER_WORKER_SHARE_H
#define TRACKING_WORKER_WORKER_SHARE_H

#include "postgres.h"

#include "worker/pipeline_lock.h"
#include "worker/pipeline_state.h"
#include "worker/worker_room.h"

/*
 * Set the share of every pipeline of this database, PipelineState *.  Every
 * role gets a worker before another gets a second, every pipeline one before
 * another gets more; what runs is left running as far as that allows.  Returns
 * what is lacking.
 */
extern PipelineNeed worker_share_out(List *states, const WorkerRoom *room);

#endif							/* TRACKING_WORKER_WORKER_SHARE_H */
