/*
 * table_insert.h
 *	  Rows into a plain table, many at a time, the way COPY FROM does it.
 *
 * What the executor would do for INSERT beyond storing the row, its defaults,
 * checking its constraints and entering it in the indexes is not done: a
 * table that needs more is not plain.
 */
#ifndef TRACKING_PIPELINE_TABLE_INSERT_H
#define TRACKING_PIPELINE_TABLE_INSERT_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "utils/rel.h"

typedef struct TableInsert TableInsert;

/*
 * Can rows that give these columns (attnums) be inserted that way?  The table
 * must be an ordinary one without rules, triggers (foreign keys are some),
 * generated columns, row security, and without a volatile default, other than
 * nextval(), for a column that is not given.
 */
extern bool table_insert_is_plain(Relation table, const Bitmapset *given);

/*
 * Begin; table is open and locked for that, and stays open until the end.  All
 * of it is freed at the end, or when the (sub)transaction ends.
 */
extern TableInsert *table_insert_begin(Relation table,
									   const Bitmapset *given);

/*
 * The slot for the next row.  The caller fills tts_values and tts_isnull, of
 * the columns that were not given too: with null.  They are copied.  Rows are
 * stored first, if there are enough, so that an error may be that of an earlier
 * one.
 */
extern TupleTableSlot *table_insert_slot(TableInsert *insert);

/* The slot is filled; bytes: about how large the row is. */
extern void table_insert_row(TableInsert *insert, size_t bytes);

/* Store what is left, and see to it that commands to come see the rows. */
extern void table_insert_end(TableInsert *insert);

#endif							/* TRACKING_PIPELINE_TABLE_INSERT_H */
