/*
 * gap.h
 *	  Records that a stream dropped before a pipeline read them, in
 *	  tracking.gap.
 *
 * Every function here runs in the caller's transaction.
 */
#ifndef TRACKING_LEDGER_GAP_H
#define TRACKING_LEDGER_GAP_H

#include "postgres.h"

#include "stream/batch.h"

/* Insert a batch's gaps, in the transaction that moves its positions. */
extern void gap_keep(const char *pipeline, const Batch *batch);

/*
 * Set shards of the pipeline to SHARD_END that the stream no longer lists
 * (shards: those that it lists, KinesisShard *) and that were last read longer
 * ago than the stream's retention, and insert a gap for the unread rest of
 * each.  Returns the number of such shards.
 */
extern uint64 gap_expire_shards(const char *pipeline, List *shards,
								int64 retention_us);

#endif							/* TRACKING_LEDGER_GAP_H */
