/*
 * launcher.c
 *	  Starts a supervisor in every database, after a start and now and then.
 *
 * The launcher is connected to no database and cannot tell which of them have
 * the extension.  A supervisor can, and one without work ends at once.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "worker/worker.h"

/* A supervisor that died is replaced within this time. */
#define WALK_INTERVAL_MS 60000
/* While no worker slot is free. */
#define SLOT_RETRY_MS 1000

static bool registered = false;
static uint32 launcher_wait_event = 0;

void
launcher_register(void)
{
	BackgroundWorker worker;

	worker_init(&worker, LAUNCHER_TYPE, "tracking_fdw_launcher_main");
	worker.bgw_restart_time = 1;
	RegisterBackgroundWorker(&worker);
	registered = true;
}

bool
launcher_is_registered(void)
{
	return registered;
}

/* The databases that can be connected to, in cxt. */
static List *
databases(MemoryContext cxt)
{
	List	   *oids = NIL;
	Relation	relation;
	TableScanDesc scan;
	HeapTuple	tuple;

	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	relation = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(relation, 0, NULL);
	while (HeapTupleIsValid(tuple = heap_getnext(scan, ForwardScanDirection)))
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);
		MemoryContext old = MemoryContextSwitchTo(cxt);

		if (database->datallowconn && !database->datistemplate)
			oids = lappend_oid(oids, database->oid);
		MemoryContextSwitchTo(old);
	}
	table_endscan(scan);
	table_close(relation, AccessShareLock);
	CommitTransactionCommand();
	return oids;
}

static void
walk_databases(MemoryContext cxt)
{
	ListCell   *cell;

	foreach(cell, databases(cxt))
	{
		while (!supervisor_start(lfirst_oid(cell)))
			clock_wait(SLOT_RETRY_MS,
					   compat_wait_event(&launcher_wait_event,
										 "TrackingFdwLauncher"));
	}
}

void
tracking_fdw_launcher_main(Datum arg)
{
	MemoryContext cxt;

	(void) arg;
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	cxt = AllocSetContextCreate(TopMemoryContext, "tracking_fdw launcher",
								ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		int64		next_ms = clock_now_ms() + WALK_INTERVAL_MS;

		MemoryContextReset(cxt);
		walk_databases(cxt);
		while (clock_now_ms() < next_ms)
			clock_wait(next_ms - clock_now_ms(),
					   compat_wait_event(&launcher_wait_event,
										 "TrackingFdwLauncher"));
	}
}
