/*
 * unit_table.c
 *	  Tables, for tests.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "fmgr.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#include "pipeline/table_extend.h"

PG_FUNCTION_INFO_V1(unit_table_extend);

/* Reserve so many pages, and write nothing to them; returns how many there are. */
PGDLLEXPORT Datum
unit_table_extend(PG_FUNCTION_ARGS)
{
	Relation	table = table_open(PG_GETARG_OID(0), RowExclusiveLock);
	BulkInsertState bulk = GetBulkInsertState();
	TableExtend extend;
	BlockNumber pages;

	table_extend_init(&extend, table, bulk);
	table_extend_reserve(&extend, (size_t) PG_GETARG_INT32(1) * BLCKSZ);
	pages = RelationGetNumberOfBlocks(table);
	FreeBulkInsertState(bulk);
	table_close(table, NoLock);
	PG_RETURN_INT64(pages);
}
