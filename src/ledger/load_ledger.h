/*
 * load_ledger.h
 *	  The loads into stores, in tracking.load.
 *
 * A row is inserted for a load in the local transaction that moves the
 * positions and keeps the dead letters of its batch.  That transaction commits
 * before the store is asked to commit.  So if the store's answer is lost, or
 * this server crashes, the row says which positions the store has if it has
 * committed, and what to undo here if it has not.  Every function here runs in
 * the caller's transaction.
 */
#ifndef TRACKING_LEDGER_LOAD_LEDGER_H
#define TRACKING_LEDGER_LOAD_LEDGER_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "store/store_checkpoint.h"
#include "stream/batch.h"

/*
 * Insert the row of a batch that is about to be loaded, before the batch's
 * positions are moved.  Returns the load's id.
 */
extern int64 load_ledger_begin(const char *pipeline, const char *store,
							   const Batch *batch);

/* Add what was loaded to the row, before the store is asked to commit. */
extern void load_ledger_committing(int64 load, const Batch *batch,
								   uint64 rows, const StoreLoadStats *stats);

/* Note that the store has committed. */
extern void load_ledger_done(int64 load);

/*
 * Settle the loads of a pipeline whose outcome is not known, by the positions
 * that the store has (StorePosition *): either a load is done, or it is
 * abandoned, and its positions, counters, dead letters and history are undone.
 * Then set the positions in tracking.checkpoint to the store's.  Returns how
 * many shards had a different one.
 */
extern int64 load_ledger_resolve(const char *pipeline, List *positions);

/*
 * Delete the loads of a pipeline before the last keep ones, except those whose
 * outcome is not known.
 */
extern void load_ledger_prune(const char *pipeline, int keep);

#endif							/* TRACKING_LEDGER_LOAD_LEDGER_H */
