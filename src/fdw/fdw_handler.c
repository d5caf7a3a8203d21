/*
 * fdw_handler.c
 *	  The entry of the foreign data wrapper: its table of callbacks.
 */
#include "postgres.h"

#include "fdw/fdw.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(tracking_fdw_handler);

Datum
tracking_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	(void) fcinfo;
	routine->GetForeignRelSize = trackingGetForeignRelSize;
	routine->GetForeignPaths = trackingGetForeignPaths;
	routine->GetForeignPlan = trackingGetForeignPlan;
	routine->BeginForeignScan = trackingBeginForeignScan;
	routine->IterateForeignScan = trackingIterateForeignScan;
	routine->ReScanForeignScan = trackingReScanForeignScan;
	routine->EndForeignScan = trackingEndForeignScan;
	routine->ExplainForeignScan = trackingExplainForeignScan;

	routine->IsForeignRelUpdatable = trackingIsForeignRelUpdatable;
	routine->PlanForeignModify = trackingPlanForeignModify;
	routine->BeginForeignModify = trackingBeginForeignModify;
	routine->ExecForeignInsert = trackingExecForeignInsert;
	routine->EndForeignModify = trackingEndForeignModify;
	routine->BeginForeignInsert = trackingBeginForeignInsert;
	routine->EndForeignInsert = trackingEndForeignInsert;

	routine->ImportForeignSchema = trackingImportForeignSchema;
	PG_RETURN_POINTER(routine);
}
