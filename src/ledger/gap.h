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

/* Keep a batch's gaps, in the transaction that moves its positions. */
extern void gap_keep(const char *pipeline, const Batch *batch);

/*
 * Shards of the pipeline that the stream no longer lists (shards: those it
 * does, KinesisShard *) and that were read for the last time longer ago than
 * the stream keeps records are at their end, with what had not been read of
 * them.  Returns how many there were.
 */
extern uint64 gap_expire_shards(const char *pipeline, List *shards,
								int64 retention_us);

#endif							/* TRACKING_LEDGER_GAP_H */
