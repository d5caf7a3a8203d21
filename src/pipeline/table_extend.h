/*
 * table_extend.h
 *	  Extend a table by many pages at a time.
 *
 * Before PostgreSQL 16 the server extends a table by one page at a time, and
 * writes each page as zeros first, which is a good part of the cost of storing
 * rows.  From 16 on table_multi_insert() extends by many pages itself, and
 * these functions do nothing.
 */
#ifndef TRACKING_PIPELINE_TABLE_EXTEND_H
#define TRACKING_PIPELINE_TABLE_EXTEND_H

#include "postgres.h"

#include "access/heapam.h"
#include "utils/rel.h"

typedef struct TableExtend
{
	Relation	table;
	BulkInsertState bulk;		/* the caller's */
	size_t		room_bytes;		/* room left in the pages that were added */
	int			n_pages;		/* number of pages that were added last */
} TableExtend;

/* table must be open and locked for inserts. */
extern void table_extend_init(TableExtend *extend, Relation table,
							  BulkInsertState bulk);

/*
 * To be called before so many bytes of rows are stored.  Adds pages if the
 * table's free pages are not enough, and enters them in the free space map, so
 * that a later insert of any session can use those that are left.  If the file
 * system cannot reserve space, or has none left, this does nothing: the server
 * then extends the table as usual, or reports the error.
 */
extern void table_extend_reserve(TableExtend *extend, size_t bytes);

#endif							/* TRACKING_PIPELINE_TABLE_EXTEND_H */
