/*
 * checkpoint.h
 *	  How far a pipeline has read each shard, in tracking.checkpoint.
 *
 * The position moves in the transaction that applies the records: that, and
 * nothing else, makes a pipeline exactly-once.  Every function here runs in
 * the caller's transaction.
 */
#ifndef TRACKING_SINK_CHECKPOINT_H
#define TRACKING_SINK_CHECKPOINT_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "stream/batch.h"

typedef struct CheckpointShard
{
	KinesisShard shard;			/* id and parents */
	StreamPosition position;
	int			worker;			/* number of the worker that reads it, -1: none
								 * yet */
} CheckpointShard;

/* All shards of a pipeline, CheckpointShard *, in the current context. */
extern List *checkpoint_load(const char *pipeline);

/*
 * Add those of shards (KinesisShard *) that the pipeline does not have: at
 * first if it has none at all, else at the beginning of the shard, which is
 * new in the stream.
 */
extern void checkpoint_add(const char *pipeline, List *shards,
						   const StreamPosition *first);

/*
 * Give shards to the workers of a pipeline: all of them, evenly, or those that
 * nobody has yet, to the worker of their (first) parent.  To be called by one
 * session at a time.
 */
extern void checkpoint_assign(const char *pipeline, int workers, bool all);

/*
 * Move the positions of a batch's shards.  False if one of them is no longer
 * where the batch began: another session was first, and the caller must abort
 * and read the positions again.
 */
extern bool checkpoint_advance(const char *pipeline, const Batch *batch);

/* Count the batch's rejects by shard. */
extern void checkpoint_count_dead_letters(const char *pipeline,
										  const Batch *batch);

/*
 * Set one shard, or all if shard_id is NULL, to a position.  Returns how many
 * shards there were.
 */
extern uint64 checkpoint_reset(const char *pipeline, const char *shard_id,
							   const StreamPosition *position);

#endif							/* TRACKING_SINK_CHECKPOINT_H */
