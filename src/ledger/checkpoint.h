/*
 * checkpoint.h
 *	  How far a pipeline has read each shard, in tracking.checkpoint.
 *
 * The position moves in the transaction that applies the records: that, and
 * nothing else, makes a pipeline exactly-once.  Every function here runs in
 * the caller's transaction.
 */
#ifndef TRACKING_LEDGER_CHECKPOINT_H
#define TRACKING_LEDGER_CHECKPOINT_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "stream/batch.h"
#include "stream/stream_reader.h"

typedef struct CheckpointShard
{
	const KinesisShard *shard;	/* as it was given */
	StreamPosition position;
	TimestampTz read_until;		/* what had arrived by then was read; 0:
								 * unknown */
	StreamRecall recall;
	bool		waits;			/* for a parent that another worker reads, or
								 * that waits itself */
} CheckpointShard;

/*
 * Add those of shards (KinesisShard *) that the pipeline does not have: at
 * first if it has none at all, else at the beginning of the shard, which is
 * new in the stream.  shards is all that the stream lists; or, with first
 * NULL, some that were found since: then a pipeline that has none gets none.
 */
extern void checkpoint_add(const char *pipeline, List *shards,
						   const StreamPosition *first, int64 retention_us);

/*
 * Give shards to the workers of a pipeline: all of them, evenly, or those that
 * nobody has yet, to the worker of their (first) parent.  To be called by one
 * session at a time.
 */
extern void checkpoint_assign(const char *pipeline, int workers, bool all);

/*
 * Where to read those of shards that this worker of the pipeline has (-1: any
 * that the pipeline has): CheckpointShard *, in the current context.
 */
extern List *checkpoint_load(const char *pipeline, List *shards, int worker);

/* Let those of checkpoints wait, too, that have a parent there that waits. */
extern void checkpoint_wait_with_parents(List *checkpoints);

/*
 * Move the positions of a batch's shards, as the pipeline is in a generation.
 * False if it is in another, or one of them is no longer where the batch began:
 * another session was first, and the caller must abort and begin anew.
 */
extern bool checkpoint_advance(const char *pipeline, int64 generation,
							   const Batch *batch);

/*
 * The recent records of a pipeline, and how many of them are dead letters: the
 * last batches of each shard, a thousand records or more if there were so many.
 */
extern void checkpoint_recent(const char *pipeline, int64 generation,
							  int64 *records, int64 *dead_letters);

/* Count by shard what of the batch gave no row: its rejects, what is empty. */
extern void checkpoint_count_rowless(const char *pipeline,
									 const Batch *batch);

/* Set a shard to a position.  False if the pipeline does not have it. */
extern bool checkpoint_reset(const char *pipeline, const char *shard_id,
							 const StreamPosition *position);

/* How many shards of the pipeline have a position. */
extern int	checkpoint_count(const char *pipeline);

/* Forget all shards: they are added anew, from where the pipeline starts. */
extern void checkpoint_clear(const char *pipeline);

#endif							/* TRACKING_LEDGER_CHECKPOINT_H */
