/*
 * tracking_fdw.c
 *	  The module: magic, and the start of each room that needs one.
 */
#include "postgres.h"

#include "config/guc.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pipeline/pipeline_owner.h"
#include "stream/shard_allowance.h"
#include "worker/worker.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	guc_init();
	/* the new server is to find what the old one had: nothing runs meanwhile */
	if (IsBinaryUpgrade)
		return;
	owner_init();
	supervisor_init();
	if (process_shared_preload_libraries_in_progress)
	{
		shard_allowance_init();
		worker_register_launcher();
	}
}
