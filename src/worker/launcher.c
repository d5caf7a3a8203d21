/*
 * launcher.c
 *	  Starts a supervisor in every database, when the server starts and every
 *	  minute.
 *
 * The launcher is not connected to a database, and so does not know which of
 * them have the extension.  A supervisor that finds nothing to supervise ends
 * at once.
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
#include "worker/pipeline_lock.h"
#include "worker/worker.h"

/*
 * Between two rounds: a supervisor that has died is replaced within this time.
 */
#define WALK_INTERVAL_MS 60000
/* Between two attempts while no background worker slot is free. */
#define SLOT_RETRY_MS 1000

/* A database, and the supervisor that was started in it last. */
typedef struct Supervised
{
	Oid			database;
	BackgroundWorkerHandle *handle;
} Supervised;

static List *supervised = NIL;	/* of Supervised, in TopMemoryContext */
static uint32 launcher_wait_event = 0;

/* Log, once while it lasts, that there is no slot for a supervisor. */
static void
tell_lack(bool lacks)
{
	static bool told = false;

	pipeline_lock_launch_lack(lacks);
	if (lacks && !told)
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker slot is free for a supervisor of pipelines"),
				 errhint("Increase max_worker_processes; a pipeline takes one, and each database with pipelines two more.")));
	told = lacks;
}

/* The OIDs of the databases that can be connected to, in cxt. */
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

/* The entry of a database, which is made if there is none. */
static Supervised *
find_or_add(Oid database)
{
	Supervised *entry;
	MemoryContext old;
	ListCell   *cell;

	foreach(cell, supervised)
	{
		entry = lfirst(cell);
		if (entry->database == database)
			return entry;
	}
	old = MemoryContextSwitchTo(TopMemoryContext);
	entry = palloc0(sizeof(Supervised));
	entry->database = database;
	supervised = lappend(supervised, entry);
	MemoryContextSwitchTo(old);
	return entry;
}

/*
 * Has the supervisor ended that was started last?  If not, it may be at work,
 * or wait to connect to a database that is locked, as another one would.
 */
static bool
has_ended(Supervised *entry)
{
	pid_t		pid;

	if (entry->handle == NULL)
		return true;
	if (GetBackgroundWorkerPid(entry->handle, &pid) != BGWH_STOPPED)
		return false;
	pfree(entry->handle);
	entry->handle = NULL;
	return true;
}

static void
forget_dropped(List *oids)
{
	ListCell   *cell;

	foreach(cell, supervised)
	{
		Supervised *entry = lfirst(cell);

		if (list_member_oid(oids, entry->database) || !has_ended(entry))
			continue;
		supervised = foreach_delete_current(supervised, cell);
		pfree(entry);
	}
}

/*
 * Start a supervisor in each of these databases where the last one has ended.
 * Returns the databases for which no slot was free.
 */
static List *
start_supervisors(List *oids)
{
	List	   *left = NIL;
	ListCell   *cell;

	foreach(cell, oids)
	{
		Supervised *entry = find_or_add(lfirst_oid(cell));
		MemoryContext old;

		if (!has_ended(entry))
			continue;
		old = MemoryContextSwitchTo(TopMemoryContext);
		if (!supervisor_start(entry->database, &entry->handle))
			entry->handle = NULL;
		MemoryContextSwitchTo(old);
		if (entry->handle == NULL)
			left = lappend_oid(left, entry->database);
	}
	return left;
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
	pipeline_lock_launch();
	cxt = AllocSetContextCreate(TopMemoryContext, "tracking_fdw launcher",
								ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(cxt);
	for (;;)
	{
		int64		next_ms = clock_now_ms() + WALK_INTERVAL_MS;
		List	   *left;

		MemoryContextReset(cxt);
		left = databases(cxt);
		forget_dropped(left);
		while (clock_now_ms() < next_ms)
		{
			left = start_supervisors(left);
			tell_lack(left != NIL);
			clock_wait(left != NIL ? SLOT_RETRY_MS :
					   Max(next_ms - clock_now_ms(), 0),
					   compat_wait_event(&launcher_wait_event,
										 "TrackingFdwLauncher"));
			(void) worker_reload_config();
		}
	}
}
