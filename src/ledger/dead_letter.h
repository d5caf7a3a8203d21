/*
 * dead_letter.h
 *	  Records that could not be decoded, kept whole in tracking.dead_letter.
 */
#ifndef TRACKING_LEDGER_DEAD_LETTER_H
#define TRACKING_LEDGER_DEAD_LETTER_H

#include "postgres.h"

#include "stream/batch.h"

/*
 * Keep the batch's rejects, in the transaction that moves its positions.  load:
 * of tracking.load, or 0.
 */
extern void dead_letter_keep(const char *pipeline, const Batch *batch,
							 int64 load);

/* Kept records as a batch, to be applied again. */
typedef struct DeadLetters
{
	Batch	   *batch;			/* to be freed with batch_free() */
	int64	   *ids;			/* of tracking.dead_letter, by ordinal */
} DeadLetters;

/*
 * Load kept records (ids: an array of bigint) in the order of their shards,
 * in cxt, and lock them.
 */
extern void dead_letter_load(MemoryContext cxt, const char *pipeline,
							 Datum ids, DeadLetters *letters);

/*
 * After their batch was applied: delete them but its rejects, which get their
 * new reasons.
 */
extern void dead_letter_settle(const DeadLetters *letters);

#endif							/* TRACKING_LEDGER_DEAD_LETTER_H */
