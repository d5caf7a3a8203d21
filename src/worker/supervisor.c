/*
 * supervisor.c
 *	  Keeps the workers of a database's enabled pipelines running.
 *
 * A supervisor compares which pipelines should run (tracking.pipeline) with
 * those that do run (their locks), starts and ends workers, and waits until
 * something changes.  It ends when no pipeline is enabled; a change of a
 * pipeline starts it again.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/search_path.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_extension.h"
#include "commands/dbcommands.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "config/guc.h"
#include "executor/spi.h"
#include "ledger/catalog.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "worker/crash_count.h"
#include "worker/pipeline_keeper.h"
#include "worker/pipeline_lock.h"
#include "worker/worker.h"
#include "worker/worker_roster.h"
#include "worker/worker_share.h"

/*
 * While the supervisors of other databases may be making room for a worker,
 * look so often.  After NEED_PATIENCE_MS they will not make any more; then
 * look every LACK_CYCLE_MS, as nothing wakes this process when a worker ends
 * there.
 */
#define NEED_CYCLE_MS 500
#define NEED_PATIENCE_MS 10000
#define LACK_CYCLE_MS 5000
/* From the look that finds pipelines gone to the removal of their files. */
#define SWEEP_CYCLE_MS 1000

static uint32 supervisor_wait_event = 0;
static bool start_wanted = false;
static bool sweep_due = true;	/* there may be files of pipelines that no
								 * longer exist */
static object_access_hook_type next_access_hook = NULL;

bool
supervisor_start(Oid database, BackgroundWorkerHandle **handle)
{
	BackgroundWorker worker;

	worker_init(&worker, SUPERVISOR_TYPE, "tracking_fdw_supervisor_main");
	/* without a launcher, the postmaster must start it again after a crash */
	if (!worker_has_launcher())
		worker.bgw_restart_time = 10;
	worker.bgw_main_arg = ObjectIdGetDatum(database);
	if (handle != NULL)
		worker.bgw_notify_pid = MyProcPid;
	return RegisterDynamicBackgroundWorker(&worker, handle);
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	(void) arg;
	if (event == XACT_EVENT_COMMIT && start_wanted && !IsBinaryUpgrade &&
		!supervisor_start(MyDatabaseId, NULL))
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker slot is free for tracking_fdw"),
				 errhint("Increase max_worker_processes; a pipeline takes one, and each database with pipelines two more.")));
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		start_wanted = false;
}

void
supervisor_start_at_commit(void)
{
	static bool listening = false;

	if (!listening)
		RegisterXactCallback(at_transaction_end, NULL);
	listening = true;
	start_wanted = true;
}

/*
 * When the extension is dropped, wake the supervisor, so that it ends the
 * workers at once.
 */
static void
notice_drop(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id,
			void *arg)
{
	if (next_access_hook != NULL)
		next_access_hook(access, class_id, object_id, sub_id, arg);
	if (access == OAT_DROP && class_id == ExtensionRelationId &&
		object_id == get_extension_oid("tracking_fdw", true))
		supervisor_start_at_commit();
}

void
supervisor_init(void)
{
	next_access_hook = object_access_hook;
	object_access_hook = notice_drop;
}

/*
 * Wake supervisors, so that they look again: that of this database, or those
 * of all others.
 */
static void
wake(bool others)
{
	static const char query[] =
		"select pid from pg_catalog.pg_locks"
		" where locktype operator(pg_catalog.=) 'advisory' and granted"
		" and (database operator(pg_catalog.<>) $1)"
		" operator(pg_catalog.=) $4"
		" and classid operator(pg_catalog.=) $2"
		" and objsubid operator(pg_catalog.=) $3";
	Oid			types[] = {OIDOID, OIDOID, INT4OID, BOOLOID};
	Datum		values[] = {
		ObjectIdGetDatum(MyDatabaseId),
		ObjectIdGetDatum(PIPELINE_LOCK_CLASS),
		Int32GetDatum(PIPELINE_LOCK_SUPERVISE),
		BoolGetDatum(others)
	};

	worker_begin();
	SPI_connect();
	if (SPI_execute_with_args(query, 4, types, values, NULL, true, 0) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not look for supervisors");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		int			pid = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i],
													  SPI_tuptable->tupdesc,
													  1, &isnull));
		PGPROC	   *proc = isnull ? NULL : BackendPidGetProc(pid);

		if (proc != NULL)
			SetLatch(&proc->procLatch);
	}
	SPI_finish();
	worker_commit();
}

/*
 * Show the other supervisors what this one needs, and wake them.  Returns how
 * long to wait before the next look, -1 if nothing is needed.
 */
static long
tell_need(PipelineNeed need)
{
	static int64 since_ms = 0;

	if (pipeline_lock_need(need))
	{
		since_ms = clock_now_ms();
		wake(true);
	}
	if (need == NEED_NOTHING)
		return -1;
	return clock_now_ms() < since_ms + NEED_PATIENCE_MS ? NEED_CYCLE_MS :
		LACK_CYCLE_MS;
}

/*
 * Log once that the database has pipelines which came from another one.  Needs
 * a transaction.
 */
static void
tell_of_restored(List *states)
{
	static bool told = false;
	int			n = 0;
	ListCell   *cell;

	foreach(cell, states)
		n += ((PipelineState *) lfirst(cell))->is_home ? 0 : 1;
	if (n == 0 || told)
		return;
	told = true;
	ereport(LOG,
			(errmsg("database \"%s\" has %d pipelines that were restored from another one; they do not run here",
					get_database_name(MyDatabaseId), n),
			 errhint("SELECT tracking.start_restored() lets them run.")));
}

/*
 * Load the database's pipelines, and decide how many workers each gets.
 * Returns PipelineState *, in cxt; *need is what is lacking.
 */
static List *
look(MemoryContext cxt, PipelineNeed *need)
{
	MemoryContext old;
	List	   *states = NIL;
	List	   *ids = NIL;
	WorkerRoom	room;
	ListCell   *cell;

	worker_begin();
	old = MemoryContextSwitchTo(cxt);
	if (OidIsValid(get_extension_oid("tracking_fdw", true)))
	{
		pipeline_rebalance();
		states = pipeline_states();
		worker_room_look(&room);
		room.max_here = Min(room.max_here, pipeline_keeper_slots());
	}
	foreach(cell, states)
	{
		PipelineState *state = lfirst(cell);

		pipeline_keeper_prepare(state);
		ids = lappend_int(ids, state->id);
	}
	tell_of_restored(states);
	*need = states == NIL ? NEED_NOTHING :
		worker_share_out(states, &room);
	if (sweep_due)
		crash_count_sweep(ids);
	sweep_due = false;
	MemoryContextSwitchTo(old);
	worker_commit();
	pgstat_report_activity(STATE_IDLE, NULL);
	return states;
}

/*
 * One round of the supervisor.  Returns milliseconds to the next, -1 if there
 * is nothing to supervise.
 */
static long
cycle(MemoryContext cxt)
{
	PipelineNeed need;
	List	   *states = look(cxt, &need);
	long		wait_ms = tell_need(need);
	bool		any_enabled = false;
	ListCell   *cell;

	if (wait_ms < 0)
		wait_ms = KEEPER_CYCLE_MS;
	MemoryContextSwitchTo(cxt);
	sweep_due |= worker_roster_end_orphans(states);
	sweep_due |= pipeline_keeper_forget(states);
	foreach(cell, states)
	{
		PipelineState *state = lfirst(cell);

		wait_ms = Min(wait_ms, pipeline_keeper_keep(state));
		any_enabled |= state->enabled || state->held_back;
	}
	if (sweep_due)
		wait_ms = Min(wait_ms, SWEEP_CYCLE_MS);
	return any_enabled || sweep_due || worker_roster_count() > 0 ?
		wait_ms : -1;
}

void
tracking_fdw_supervisor_main(Datum arg)
{
	MemoryContext cxt;
	long		wait_ms;

	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg),
											  InvalidOid, 0);
	search_path_settle();

	/*
	 * Workers respect default_transaction_read_only, but the supervisor must
	 * be able to note why a pipeline does not run.
	 */
	SetConfigOption("default_transaction_read_only", "off", PGC_SUSET,
					PGC_S_OVERRIDE);
	if (!pipeline_lock_supervise())
	{
		wake(false);
		proc_exit(0);
	}

	crash_count_supervise();
	cxt = AllocSetContextCreate(TopMemoryContext, "tracking_fdw supervisor",
								ALLOCSET_DEFAULT_SIZES);
	while (!ShutdownRequestPending)
	{
		MemoryContextReset(cxt);
		if (worker_reload_config())
			pipeline_keeper_reconsider();
		wait_ms = cycle(cxt);
		if (wait_ms < 0)
		{
			/*
			 * Nothing to do: end.  A session that committed a change while
			 * this process held the lock has woken this process instead of
			 * starting another, so look once more without the lock.
			 */
			pipeline_unlock_supervise();
			if (cycle(cxt) < 0 || !pipeline_lock_supervise())
				proc_exit(0);
			wait_ms = 0;
		}
		clock_wait(wait_ms, compat_wait_event(&supervisor_wait_event,
											  "TrackingFdwSupervisor"));
	}
	proc_exit(0);
}
