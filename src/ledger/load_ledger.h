/*
 * load_ledger.h
 *	  The loads into stores, in tracking.load.
 *
 * A load is written down in the local transaction that moves the positions and
 * keeps the dead letters of its batch, which is committed before the store is
 * asked to commit: so when the store's answer is lost, or this server is, the
 * ledger tells what is to be asked, and what is to be undone if the store has
 * not done it.  Every function here runs in the caller's transaction.
 */
#ifndef TRACKING_LEDGER_LOAD_LEDGER_H
#define TRACKING_LEDGER_LOAD_LEDGER_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "store/store_checkpoint.h"
#include "stream/batch.h"

/*
 * Write down that a batch is about to be loaded; before its positions are
 * moved.  Returns the load's id.
 */
extern int64 load_ledger_begin(const char *pipeline, const char *store,
							   const Batch *batch);

/* What was loaded: the store is about to be asked to commit. */
extern void load_ledger_committing(int64 load, const Batch *batch,
								   uint64 rows, const StoreLoadStats *stats);

/* The store has committed. */
extern void load_ledger_done(int64 load);

/*
 * Settle the loads of a pipeline whose outcome is not known, by what the store
 * says (StorePosition *): done, or abandoned, with their positions, counters,
 * dead letters and history undone.  Then make the store's positions those of
 * tracking.checkpoint.  Returns how many shards had another one.
 */
extern int64 load_ledger_resolve(const char *pipeline, List *positions);

/* Forget all but the last keep loads of a pipeline whose outcome is known. */
extern void load_ledger_prune(const char *pipeline, int keep);

#endif							/* TRACKING_LEDGER_LOAD_LEDGER_H */
