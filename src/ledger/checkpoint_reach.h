/*
 * checkpoint_reach.h
 *	  Which shards cannot be read, and when tips were reached, in
 *	  tracking.checkpoint.
 *
 * Neither affects what is applied: so these functions do not wait for a row
 * that another session has locked, but leave it as it is.  Every function here
 * runs in the caller's transaction.
 */
#ifndef TRACKING_LEDGER_CHECKPOINT_REACH_H
#define TRACKING_LEDGER_CHECKPOINT_REACH_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

/*
 * Note that of this worker's shards (-1: of all shards) those in lost,
 * StreamLost *, cannot be read, and all others can.
 */
extern void checkpoint_set_lost(const char *pipeline, int worker, List *lost);

/*
 * Note that none of this worker's shards (-1: of all shards) can be read, for
 * this reason.  since is set for those that could be read so far.
 */
extern void checkpoint_set_all_lost(const char *pipeline, int worker,
									TimestampTz since, const char *reason);

/*
 * Note for each shard in tips, StreamTip *, that all its records until tip_at
 * are applied.  A row is not written if tip_at is less than ten seconds later.
 */
extern void checkpoint_note_tips(const char *pipeline, List *tips);

#endif							/* TRACKING_LEDGER_CHECKPOINT_REACH_H */
