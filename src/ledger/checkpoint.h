/*
 * checkpoint.h
 *	  How far a pipeline has read each shard, in tracking.checkpoint.
 *
 * A shard's position moves in the transaction that applies its records.  That
 * is what makes a pipeline apply each record exactly once.  Every function
 * here runs in the caller's transaction.
 */
#ifndef TRACKING_LEDGER_CHECKPOINT_H
#define TRACKING_LEDGER_CHECKPOINT_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "stream/batch.h"
#include "stream/stream_reader.h"

/* A shard of a pipeline's stream, and where to read it. */
typedef struct CheckpointShard
{
	const KinesisShard *shard;	/* the caller's */
	StreamPosition position;
	TimestampTz read_until;		/* the shard's records that arrived before
								 * this were read; 0: unknown */
	StreamRecall recall;		/* what else the last run noted */
	bool		waits;			/* for a parent shard that another worker
								 * reads, or that waits itself */
} CheckpointShard;

/*
 * Add those of shards (KinesisShard *) that the pipeline does not have yet.
 * If the pipeline has no shard at all, their positions are first; else they
 * are new in the stream, and read from their beginning.  shards has all that
 * the stream lists.  Or first is NULL, and shards has only those that were
 * found while the pipeline runs: if the pipeline then has no shard at all,
 * none are added.
 */
extern void checkpoint_add(const char *pipeline, List *shards,
						   const StreamPosition *first, int64 retention_us);

/*
 * Assign shards to the workers of a pipeline: all of them, evenly, or only
 * those that have no worker yet, each to the worker of its first parent.  Only
 * one session at a time may call this.
 */
extern void checkpoint_assign(const char *pipeline, int workers, bool all);

/*
 * Load where to read those of shards that are assigned to this worker (-1: all
 * that the pipeline has).  Returns CheckpointShard * in the current context.
 */
extern List *checkpoint_load(const char *pipeline, List *shards, int worker);

/*
 * Mark those of checkpoints as waiting that have a parent among them which
 * waits (in checkpoint_wait.c).
 */
extern void checkpoint_wait_with_parents(List *checkpoints);

/*
 * Move the positions of a batch's shards.  Returns false if the pipeline's
 * generation is not this one, or a position is not where the batch began: then
 * another session was first, and the caller must abort the transaction and
 * begin anew.
 */
extern bool checkpoint_advance(const char *pipeline, int64 generation,
							   const Batch *batch);

/*
 * How many recent records a pipeline has in this generation, and how many of
 * them are dead letters.  Recent are the last batches of each shard, with a
 * thousand records or more if there were so many, older ones counting less.
 */
extern void checkpoint_recent(const char *pipeline, int64 generation,
							  int64 *records, int64 *dead_letters);

/*
 * Add the batch's records that gave no row to the counters of their shards:
 * rejects and empty records.
 */
extern void checkpoint_count_rowless(const char *pipeline,
									 const Batch *batch);

/* Set a shard's position.  False if the pipeline does not have the shard. */
extern bool checkpoint_reset(const char *pipeline, const char *shard_id,
							 const StreamPosition *position);

/* The number of the pipeline's shards, each of which has a position. */
extern int	checkpoint_count(const char *pipeline);

/*
 * Delete all positions.  The next run adds the shards again, at the pipeline's
 * start position.
 */
extern void checkpoint_clear(const char *pipeline);

#endif							/* TRACKING_LEDGER_CHECKPOINT_H */
