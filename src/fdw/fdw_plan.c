/*
 * fdw_plan.c
 *	  Planning a scan of a stream: which columns it needs, what it may cost.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "base/compat.h"
#include "fdw/fdw.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/prep.h"
#include "optimizer/restrictinfo.h"
#include "stream/batch.h"
#include "utils/rel.h"

/*
 * The service does not tell how many records there are.  A guess on the high
 * side keeps the planner from scanning a stream once for every row of another
 * relation.
 */
#define ROWS_GUESSED 10000.0

/* A scan begins with some round trips to the service ... */
#define STARTUP_COST 1000.0
/* ... and decodes every record. */
#define RECORD_COST 0.05

void
trackingGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel,
						  Oid foreigntableid)
{
	Batch	   *batch = batch_bound(foreigntableid);

	baserel->tuples = batch == NULL ? ROWS_GUESSED :
		Max(batch->n_records, 1);
	baserel->rows = clamp_row_est(baserel->tuples *
								  clauselist_selectivity(root,
														 baserel->baserestrictinfo,
														 0, JOIN_INNER, NULL));
	baserel->reltarget->width = Max(baserel->reltarget->width, 32);
}

void
trackingGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel,
						Oid foreigntableid)
{
	Cost		startup = baserel->baserestrictcost.startup;
	Cost		total;

	if (batch_bound(foreigntableid) == NULL)
		startup += STARTUP_COST;
	total = startup + baserel->tuples *
		(RECORD_COST + cpu_tuple_cost + baserel->baserestrictcost.per_tuple);
	add_path(baserel, (Path *)
			 compat_foreignscan_path(root, baserel, baserel->rows, startup,
									 total, baserel->lateral_relids));
}

List *
fdw_wanted_columns(RelOptInfo *baserel, Oid foreigntableid)
{
	Bitmapset  *used = NULL;
	List	   *wanted = NIL;
	ListCell   *cell;
	Relation	relation;
	bool		whole_row;

	pull_varattnos((Node *) baserel->reltarget->exprs, baserel->relid, &used);
	foreach(cell, baserel->baserestrictinfo)
		pull_varattnos((Node *) lfirst_node(RestrictInfo, cell)->clause,
					   baserel->relid, &used);

	whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);
	relation = table_open(foreigntableid, NoLock);
	for (int attnum = 1; attnum <= RelationGetDescr(relation)->natts; attnum++)
	{
		if (TupleDescAttr(RelationGetDescr(relation), attnum - 1)->attisdropped)
			continue;
		if (whole_row ||
			bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, used))
			wanted = lappend_int(wanted, attnum);
	}
	table_close(relation, NoLock);
	return wanted;
}

const PlanRowMark *
fdw_row_lock(PlannerInfo *root, RelOptInfo *baserel)
{
	const PlanRowMark *mark = get_plan_rowmark(root->rowMarks, baserel->relid);

	/* a statement that changes rows marks its other tables, too */
	return mark == NULL || mark->strength == LCS_NONE ? NULL : mark;
}

static void
check_no_lock(PlannerInfo *root, RelOptInfo *baserel)
{
	if (fdw_row_lock(root, baserel) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot lock rows of a stream"),
				 errdetail("Its records never change, and nobody can be kept from reading them."),
				 errhint("Name the tables whose rows are to be locked: FOR UPDATE OF ...")));
}

ForeignScan *
trackingGetForeignPlan(PlannerInfo *root, RelOptInfo *baserel,
					   Oid foreigntableid, ForeignPath *best_path,
					   List *tlist, List *scan_clauses, Plan *outer_plan)
{
	(void) best_path;
	check_no_lock(root, baserel);
	return make_foreignscan(tlist,
							extract_actual_clauses(scan_clauses, false),
							baserel->relid, NIL,
							fdw_wanted_columns(baserel, foreigntableid),
							NIL, NIL, outer_plan);
}
