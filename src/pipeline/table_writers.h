/*
 * table_writers.h
 *	  The transactions that may still add rows to a table.
 *
 * Keys that a sequence hands out inside INSERT come in order, but the
 * transactions commit in any.  Once those have ended that were writing when a
 * key was visible, every smaller key is visible as well, or never will be: an
 * INSERT has locked its table before it asks the sequence.  Nobody is waited
 * for and nobody is held up: the transactions are looked at again.
 */
#ifndef TRACKING_PIPELINE_TABLE_WRITERS_H
#define TRACKING_PIPELINE_TABLE_WRITERS_H

#include "postgres.h"

#include "storage/lock.h"

/*
 * The transactions that hold a lock with which rows can be added to a table
 * or its partitions; an array of *n, in the current context.  This session is
 * not among them, nor are VACUUM and CREATE INDEX CONCURRENTLY, which add
 * none.
 */
extern VirtualTransactionId *table_writers_find(Oid table, int *n);

/* Remove those that have ended; the number of those that are left. */
extern int	table_writers_drop_ended(VirtualTransactionId *writers, int n);

#endif							/* TRACKING_PIPELINE_TABLE_WRITERS_H */
