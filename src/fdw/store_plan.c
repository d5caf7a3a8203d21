/*
 * store_plan.c
 *	  Planning a scan of a table in a store: its SELECT.
 */
#include "postgres.h"

#include "access/table.h"
#include "base/compat.h"
#include "config/config_store.h"
#include "fdw/fdw.h"
#include "fdw/store_fdw.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "store/dialect.h"
#include "store/store_name.h"
#include "utils/rel.h"

/*
 * The store is not asked for its statistics; a warehouse's tables are rather
 * large.
 */
#define ROWS_GUESSED 100000.0

/*
 * Some round trips at the beginning; for each row, as much as postgres_fdw
 * takes.
 */
#define STARTUP_COST 100.0
#define ROW_COST 0.01

void
storeGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel,
					   Oid foreigntableid)
{
	(void) foreigntableid;
	baserel->tuples = ROWS_GUESSED;
	baserel->rows = clamp_row_est(baserel->tuples *
								  clauselist_selectivity(root,
														 baserel->baserestrictinfo,
														 0, JOIN_INNER, NULL));
}

void
storeGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel,
					 Oid foreigntableid)
{
	Cost		startup = baserel->baserestrictcost.startup + STARTUP_COST;
	Cost		total = startup + baserel->rows *
		(ROW_COST + cpu_tuple_cost + baserel->baserestrictcost.per_tuple);

	(void) foreigntableid;
	add_path(baserel, (Path *)
			 compat_foreignscan_path(root, baserel, baserel->rows, startup,
									 total, baserel->lateral_relids));
}

static void
append_select(StringInfo sql, const StoreTable *table, List *wanted)
{
	const char *separator = "";
	ListCell   *cell;

	appendStringInfoString(sql, "SELECT ");
	foreach(cell, wanted)
	{
		appendStringInfo(sql, "%s%s", separator,
						 dialect_quote_identifier(table->columns[lfirst_int(cell) - 1]));
		separator = ", ";
	}
	/* count(*) needs rows, but no columns */
	if (wanted == NIL)
		appendStringInfoString(sql, "NULL");
	appendStringInfoString(sql, " FROM ");
	store_append_table(sql, table);
}

/*
 * The clause that locks rows.  The store locks the rows that it finds, as they
 * are fetched: more than the query returns, if some clauses or joins are
 * checked here only.
 */
static char *
lock_clause(PlannerInfo *root, RelOptInfo *baserel)
{
	static const char *const strengths[] = {
		[LCS_FORKEYSHARE] = "KEY SHARE",
		[LCS_FORSHARE] = "SHARE",
		[LCS_FORNOKEYUPDATE] = "NO KEY UPDATE",
		[LCS_FORUPDATE] = "UPDATE"
	};
	const PlanRowMark *lock = fdw_row_lock(root, baserel);

	StaticAssertDecl(lengthof(strengths) == LCS_FORUPDATE + 1,
					 "each LockClauseStrength has its words");

	if (lock == NULL)
		return pstrdup("");
	return psprintf(" FOR %s%s", strengths[lock->strength],
					lock->waitPolicy == LockWaitError ? " NOWAIT" :
					lock->waitPolicy == LockWaitSkip ? " SKIP LOCKED" : "");
}

ForeignScan *
storeGetForeignPlan(PlannerInfo *root, RelOptInfo *baserel,
					Oid foreigntableid, ForeignPath *best_path,
					List *tlist, List *scan_clauses, Plan *outer_plan)
{
	List	   *clauses = extract_actual_clauses(scan_clauses, false);
	List	   *wanted = fdw_wanted_columns(baserel, foreigntableid);
	List	   *pieces = NIL;
	List	   *operands = NIL;
	const char *keyword = " WHERE ";
	Relation	relation = table_open(foreigntableid, NoLock);
	StoreTable *table = config_store_table(relation);
	StringInfoData sql;
	ListCell   *cell;

	(void) best_path;
	initStringInfo(&sql);
	append_select(&sql, table, wanted);
	foreach(cell, clauses)
	{
		if (!store_qual_is_shippable(baserel, lfirst(cell)))
			continue;
		appendStringInfoString(&sql, keyword);
		store_qual_append(&sql, table, baserel, lfirst(cell), &pieces,
						  &operands);
		keyword = " AND ";
	}
	pieces = lappend(pieces, makeString(pstrdup(sql.data)));
	table_close(relation, NoLock);

	/* every clause is checked here, whether or not the store has checked it */
	return make_foreignscan(tlist, clauses, baserel->relid, operands,
							list_make3(pieces, wanted,
									   makeString(lock_clause(root, baserel))),
							NIL, NIL, outer_plan);
}
