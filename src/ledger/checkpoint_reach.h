/*
 * checkpoint_reach.h
 *	  What of a source cannot be read, and when tips were reached, in
 *	  tracking.checkpoint.
 *
 * Neither has to do with what is applied: a row that somebody has locked is
 * left as it is.  Every function here runs in the caller's transaction.
 */
#ifndef TRACKING_LEDGER_CHECKPOINT_REACH_H
#define TRACKING_LEDGER_CHECKPOINT_REACH_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

/*
 * Of the shards of this worker (-1: of all) these are all that cannot be read,
 * StreamLost *.
 */
extern void checkpoint_set_lost(const char *pipeline, int worker, List *lost);

/* None of them can, for this reason; since is for those that could. */
extern void checkpoint_set_all_lost(const char *pipeline, int worker,
									TimestampTz since, const char *reason);

/*
 * What had come to a shard by then was applied, StreamTip *; what changes
 * little is not written.
 */
extern void checkpoint_note_tips(const char *pipeline, List *tips);

#endif							/* TRACKING_LEDGER_CHECKPOINT_REACH_H */
