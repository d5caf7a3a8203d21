/*
 * table_writers.h
 *	  The transactions that may still add rows to a table.
 *
 * A sequence gives keys to INSERTs in order, but their transactions may commit
 * in another order.  When a key has become visible, and all transactions that
 * had locked the table for writing at that time have ended, then every smaller
 * key is visible as well, or never will be: an INSERT locks its table before
 * it gets a key from the sequence.  Nothing here waits for a lock or takes one
 * that others could wait for: the caller polls for the transactions to end.
 */
#ifndef TRACKING_PIPELINE_TABLE_WRITERS_H
#define TRACKING_PIPELINE_TABLE_WRITERS_H

#include "postgres.h"

#include "storage/lock.h"

/*
 * The transactions that hold a lock with which rows can be added to a table or
 * its partitions; an array of *n, in the current context.  This session's own
 * is left out, and so are VACUUM and CREATE INDEX CONCURRENTLY, which add no
 * rows.
 */
extern VirtualTransactionId *table_writers_find(Oid table, int *n);

/* Remove the transactions that have ended; returns how many are left. */
extern int	table_writers_drop_ended(VirtualTransactionId *writers, int n);

#endif							/* TRACKING_PIPELINE_TABLE_WRITERS_H */
