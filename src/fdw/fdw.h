/*
 * fdw.h
 *	  The callbacks of the foreign data wrapper, by the file that holds them.
 */
#ifndef TRACKING_FDW_FDW_H
#define TRACKING_FDW_FDW_H

#include "postgres.h"

#include "base/compat.h"
#include "foreign/fdwapi.h"

/* in fdw_plan.c */
extern void trackingGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel,
									  Oid foreigntableid);
extern void trackingGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel,
									Oid foreigntableid);
extern ForeignScan *trackingGetForeignPlan(PlannerInfo *root,
										   RelOptInfo *baserel,
										   Oid foreigntableid,
										   ForeignPath *best_path,
										   List *tlist, List *scan_clauses,
										   Plan *outer_plan);

/* The lock that the query asks for on rows of baserel, or NULL if none. */
extern const PlanRowMark *fdw_row_lock(PlannerInfo *root,
									   RelOptInfo *baserel);

/* The attnums of the columns that the query uses, as a list of integers. */
extern List *fdw_wanted_columns(RelOptInfo *baserel, Oid foreigntableid);

/* in fdw_scan.c */
extern void trackingBeginForeignScan(ForeignScanState *node, int eflags);
extern TupleTableSlot *trackingIterateForeignScan(ForeignScanState *node);
extern void trackingReScanForeignScan(ForeignScanState *node);
extern void trackingEndForeignScan(ForeignScanState *node);
extern void trackingExplainForeignScan(ForeignScanState *node,
									   ExplainState *es);

/* in fdw_modify.c */

/* Send the rows that queries other than this one have published so far. */
extern void fdw_modify_publish_first(const EState *query);

extern int	trackingIsForeignRelUpdatable(Relation rel);
extern List *trackingPlanForeignModify(PlannerInfo *root, ModifyTable *plan,
									   Index resultRelation,
									   int subplan_index);
extern void trackingBeginForeignModify(ModifyTableState *mtstate,
									   ResultRelInfo *rinfo,
									   List *fdw_private, int subplan_index,
									   int eflags);
extern TupleTableSlot *trackingExecForeignInsert(EState *estate,
												 ResultRelInfo *rinfo,
												 TupleTableSlot *slot,
												 TupleTableSlot *planSlot);
extern void trackingEndForeignModify(EState *estate, ResultRelInfo *rinfo);
extern void trackingBeginForeignInsert(ModifyTableState *mtstate,
									   ResultRelInfo *rinfo);
extern void trackingEndForeignInsert(EState *estate, ResultRelInfo *rinfo);

/* in fdw_import.c */
extern List *trackingImportForeignSchema(ImportForeignSchemaStmt *stmt,
										 Oid serverOid);

#endif							/* TRACKING_FDW_FDW_H */
