/*
 * dead_letter.h
 *	  Records that could not be decoded or applied, kept whole in
 *	  tracking.dead_letter.
 */
#ifndef TRACKING_LEDGER_DEAD_LETTER_H
#define TRACKING_LEDGER_DEAD_LETTER_H

#include "postgres.h"

#include "stream/batch.h"

/*
 * Insert the batch's rejects, in the transaction that moves its positions.
 * load: the id in tracking.load, or 0.
 */
extern void dead_letter_keep(const char *pipeline, const Batch *batch,
							 int64 load);

/* Dead letters as a batch that is to be applied again. */
typedef struct DeadLetters
{
	Batch	   *batch;			/* to be freed with batch_free() */
	int64	   *ids;			/* in tracking.dead_letter, by the record's
								 * ordinal */
} DeadLetters;

/*
 * Load and lock the dead letters with these ids (an array of bigint), sorted
 * by shard and sequence number; the batch is allocated in cxt.
 */
extern void dead_letter_load(MemoryContext cxt, const char *pipeline,
							 Datum ids, DeadLetters *letters);

/*
 * To be called when the batch was applied: deletes the dead letters, but for
 * the batch's rejects, whose errors are updated.
 */
extern void dead_letter_settle(const DeadLetters *letters);

#endif							/* TRACKING_LEDGER_DEAD_LETTER_H */
