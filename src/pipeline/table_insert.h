/*
 * table_insert.h
 *	  Insert rows into a plain table, many at a time, as COPY FROM does it.
 *
 * For each row this computes defaults, checks constraints, stores the row and
 * enters it in the indexes.  A table for which the executor's INSERT would do
 * more than that is not plain.
 */
#ifndef TRACKING_PIPELINE_TABLE_INSERT_H
#define TRACKING_PIPELINE_TABLE_INSERT_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "utils/rel.h"

typedef struct TableInsert TableInsert;

/*
 * Is the table plain, so that rows with values for the given columns (attnums)
 * can be inserted that way?  It must be an ordinary table, not a partition,
 * without rules, triggers (foreign keys have triggers), generated columns and
 * row security, and without a volatile default, other than nextval(), for a
 * column that is not given.
 */
extern bool table_insert_is_plain(Relation table, const Bitmapset *given);

/*
 * Begin to insert into table, which the caller has opened and locked for that,
 * and keeps open until table_insert_end().  The memory is freed there, or when
 * the (sub)transaction ends.
 */
extern TableInsert *table_insert_begin(Relation table,
									   const Bitmapset *given);

/*
 * The slot for the next row.  The caller fills tts_values and tts_isnull of
 * all columns, those that are not given with null; table_insert_row() copies
 * the values.  If the slots are full, their rows are stored first, so an error
 * that this raises may be about an earlier row.
 */
extern TupleTableSlot *table_insert_slot(TableInsert *insert);

/* Insert the row that the slot now has, which is about so many bytes large. */
extern void table_insert_row(TableInsert *insert, size_t bytes);

/* Store the remaining rows, and make all visible to later commands. */
extern void table_insert_end(TableInsert *insert);

#endif							/* TRACKING_PIPELINE_TABLE_INSERT_H */
