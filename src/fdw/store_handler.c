/*
 * store_handler.c
 *	  The entry of the foreign data wrapper tracking_redshift.
 */
#include "postgres.h"

#include "fdw/fdw.h"
#include "fdw/store_fdw.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(tracking_redshift_handler);

Datum
tracking_redshift_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	(void) fcinfo;
	routine->GetForeignRelSize = storeGetForeignRelSize;
	routine->GetForeignPaths = storeGetForeignPaths;
	routine->GetForeignPlan = storeGetForeignPlan;
	routine->BeginForeignScan = storeBeginForeignScan;
	routine->IterateForeignScan = storeIterateForeignScan;
	routine->ReScanForeignScan = storeReScanForeignScan;
	routine->EndForeignScan = storeEndForeignScan;
	routine->ExplainForeignScan = storeExplainForeignScan;

	/* a store takes what a stream takes: INSERT */
	routine->IsForeignRelUpdatable = trackingIsForeignRelUpdatable;
	routine->PlanForeignModify = storePlanForeignModify;
	routine->BeginForeignModify = storeBeginForeignModify;
	routine->ExecForeignInsert = storeExecForeignInsert;
	routine->EndForeignModify = storeEndForeignModify;
	routine->BeginForeignInsert = storeBeginForeignInsert;
	routine->EndForeignInsert = storeEndForeignInsert;
	routine->ExplainForeignModify = storeExplainForeignModify;
	PG_RETURN_POINTER(routine);
}
