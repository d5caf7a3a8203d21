/*
 * table_extend.h
 *	  Make a table longer by many pages at a time.
 *
 * Before PostgreSQL 16 the server makes a table longer by one page at a time,
 * and writes each as zeros, which is a good part of what storing rows costs.
 * From 16 on table_multi_insert() does better by itself, and nothing is done
 * here.
 */
#ifndef TRACKING_PIPELINE_TABLE_EXTEND_H
#define TRACKING_PIPELINE_TABLE_EXTEND_H

#include "postgres.h"

#include "access/heapam.h"
#include "utils/rel.h"

typedef struct TableExtend
{
	Relation	table;
	BulkInsertState bulk;		/* of who inserts */
	size_t		room_bytes;		/* in pages that were added, and are left */
	int			n_pages;		/* to add at the next time */
} TableExtend;

/* table is open and locked for inserts. */
extern void table_extend_init(TableExtend *extend, Relation table,
							  BulkInsertState bulk);

/*
 * So many bytes of rows are about to be stored.  Adds pages if those that the
 * table has will not do; the free space map knows them, so that what is left
 * is there for the next insert of anybody.  Where a file system cannot reserve
 * space, or has none left, nothing is done, as the server goes its own way
 * then.
 */
extern void table_extend_reserve(TableExtend *extend, size_t bytes);

#endif							/* TRACKING_PIPELINE_TABLE_EXTEND_H */
