/*
 * batch_history.h
 *	  The history of applied batches, in tracking.batch; its length is bounded.
 */
#ifndef TRACKING_LEDGER_BATCH_HISTORY_H
#define TRACKING_LEDGER_BATCH_HISTORY_H

#include "postgres.h"

#include "stream/batch.h"

/*
 * Add a row for a batch, in the transaction that applies it.  rows: how many
 * rows the command affected; apply_ms: how long applying the batch took; load:
 * the id in tracking.load, or 0.
 */
extern void batch_history_add(const char *pipeline, const Batch *batch,
							  uint64 rows, int64 apply_ms, int64 load);

/* Delete all but the last keep batches of a pipeline. */
extern void batch_history_prune(const char *pipeline, int keep);

#endif							/* TRACKING_LEDGER_BATCH_HISTORY_H */
