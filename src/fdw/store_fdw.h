/*
 * store_fdw.h
 *	  The callbacks of tracking_redshift, by the file that holds them, and what
 *	  these files share.
 */
#ifndef TRACKING_FDW_STORE_FDW_H
#define TRACKING_FDW_STORE_FDW_H

#include "postgres.h"

#include "base/compat.h"
#include "foreign/fdwapi.h"
#include "lib/stringinfo.h"
#include "store/store.h"

/*
 * The members of fdw_private.  The SQL is cut at its operands: each of these
 * is a Const or a Param of fdw_exprs, and becomes a literal of the store's
 * dialect when the scan begins.
 */
typedef enum StorePrivate
{
	STORE_PRIVATE_SQL,			/* Strings, one more than there are operands */
	STORE_PRIVATE_COLUMNS,		/* attnums of what is selected, integers */
	STORE_PRIVATE_LOCK			/* String: FOR UPDATE and the like, or "" */
} StorePrivate;

/* in store_qual.c */

/*
 * Does this clause of a scan of baserel mean the same in the store?  It is
 * checked here as well, so the store may let more rows through, but not fewer.
 */
extern bool store_qual_is_shippable(RelOptInfo *baserel, Expr *clause);

/*
 * Append the SQL of such a clause to sql.  At each operand, the SQL before it
 * is moved to *pieces, the operand is appended to *operands, and sql goes on
 * with what follows.
 */
extern void store_qual_append(StringInfo sql, const StoreTable *table,
							  RelOptInfo *baserel, Expr *clause,
							  List **pieces, List **operands);

/*
 * Append an operand's literal or, for an array, the literals of its elements
 * in parentheses.
 */
extern void store_operand_append(StringInfo sql,
								 const StoreDialect *dialect, Oid type,
								 Datum value, bool isnull);

/* in store_plan.c */
extern void storeGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel,
								   Oid foreigntableid);
extern void storeGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel,
								 Oid foreigntableid);
extern ForeignScan *storeGetForeignPlan(PlannerInfo *root,
										RelOptInfo *baserel,
										Oid foreigntableid,
										ForeignPath *best_path,
										List *tlist, List *scan_clauses,
										Plan *outer_plan);

/* in store_scan.c */
extern void storeBeginForeignScan(ForeignScanState *node, int eflags);
extern TupleTableSlot *storeIterateForeignScan(ForeignScanState *node);
extern void storeReScanForeignScan(ForeignScanState *node);
extern void storeEndForeignScan(ForeignScanState *node);
extern void storeExplainForeignScan(ForeignScanState *node, ExplainState *es);

/* in store_modify.c */
extern List *storePlanForeignModify(PlannerInfo *root, ModifyTable *plan,
									Index resultRelation, int subplan_index);
extern void storeBeginForeignModify(ModifyTableState *mtstate,
									ResultRelInfo *rinfo, List *fdw_private,
									int subplan_index, int eflags);
extern TupleTableSlot *storeExecForeignInsert(EState *estate,
											  ResultRelInfo *rinfo,
											  TupleTableSlot *slot,
											  TupleTableSlot *planSlot);
extern void storeEndForeignModify(EState *estate, ResultRelInfo *rinfo);
extern void storeBeginForeignInsert(ModifyTableState *mtstate,
									ResultRelInfo *rinfo);
extern void storeEndForeignInsert(EState *estate, ResultRelInfo *rinfo);
extern void storeExplainForeignModify(ModifyTableState *mtstate,
									  ResultRelInfo *rinfo, List *fdw_private,
									  int subplan_index, ExplainState *es);

#endif							/* TRACKING_FDW_STORE_FDW_H */
