/*
 * supervisor.c
 *	  Keeps the workers of a database's enabled pipelines running.
 *
 * It compares what should run (tracking.pipeline) with what runs (the locks),
 * starts and ends workers, and waits for news.  When nothing is enabled it
 * ends; a change of a pipeline starts it again.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "sink/pipeline_lock.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "worker/pipeline_catalog.h"
#include "worker/worker.h"

/* Look again this often, should a word of a change have been lost. */
#define CYCLE_MS 10000

/* A worker that this supervisor started. */
typedef struct StartedWorker
{
	int32		pipeline;
	int64		generation;
	BackgroundWorkerHandle *handle;
} StartedWorker;

static uint32 supervisor_wait_event = 0;
static bool start_wanted = false;
static List *started = NIL;		/* of StartedWorker, in TopMemoryContext */
static object_access_hook_type next_access_hook = NULL;

bool
supervisor_start(Oid database)
{
	BackgroundWorker worker = {0};

	snprintf(worker.bgw_name, BGW_MAXLEN, SUPERVISOR_TYPE);
	snprintf(worker.bgw_type, BGW_MAXLEN, SUPERVISOR_TYPE);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	/* without a launcher, only the postmaster is there to start it again */
	worker.bgw_restart_time = launcher_is_registered() ?
		BGW_NEVER_RESTART : 10;
	snprintf(worker.bgw_library_name, sizeof(worker.bgw_library_name),
			 "tracking_fdw");
	snprintf(worker.bgw_function_name, BGW_MAXLEN,
			 "tracking_fdw_supervisor_main");
	worker.bgw_main_arg = ObjectIdGetDatum(database);
	return RegisterDynamicBackgroundWorker(&worker, NULL);
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	(void) arg;
	if (event == XACT_EVENT_COMMIT && start_wanted &&
		!supervisor_start(MyDatabaseId))
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

/* Workers end with the extension, not at the supervisor's next look. */
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

static StartedWorker *
find_started(int32 pipeline)
{
	ListCell   *cell;

	foreach(cell, started)
	{
		StartedWorker *worker = lfirst(cell);

		if (worker->pipeline == pipeline)
			return worker;
	}
	return NULL;
}

/* A worker was registered and has not ended. */
static bool
is_starting_or_running(const StartedWorker *worker)
{
	pid_t		pid;

	return worker->handle != NULL &&
		GetBackgroundWorkerPid(worker->handle, &pid) != BGWH_STOPPED;
}

static void
start_worker(const PipelineState *state)
{
	StartedWorker *entry = find_started(state->id);
	WorkerArgs	args = {MyDatabaseId, state->owner, state->id};
	BackgroundWorker worker = {0};
	MemoryContext old;

	if (entry != NULL && is_starting_or_running(entry))
		return;
	snprintf(worker.bgw_name, BGW_MAXLEN, WORKER_TYPE " %d", state->id);
	snprintf(worker.bgw_type, BGW_MAXLEN, WORKER_TYPE);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	snprintf(worker.bgw_library_name, sizeof(worker.bgw_library_name),
			 "tracking_fdw");
	snprintf(worker.bgw_function_name, BGW_MAXLEN, "tracking_fdw_worker_main");
	worker.bgw_notify_pid = MyProcPid;
	memcpy(worker.bgw_extra, &args, sizeof(args));

	old = MemoryContextSwitchTo(TopMemoryContext);
	if (entry == NULL)
	{
		entry = palloc0(sizeof(StartedWorker));
		entry->pipeline = state->id;
		started = lappend(started, entry);
	}
	if (entry->handle != NULL)
		pfree(entry->handle);
	entry->handle = NULL;
	entry->generation = state->generation;
	if (!RegisterDynamicBackgroundWorker(&worker, &entry->handle))
	{
		entry->handle = NULL;
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker slot is free for pipeline %d",
						state->id),
				 errhint("Increase max_worker_processes.")));
	}
	MemoryContextSwitchTo(old);
}

/* The worker runs with the settings of this generation. */
static bool
is_current(const PipelineState *state)
{
	StartedWorker *entry = find_started(state->id);

	return entry != NULL && entry->generation == state->generation;
}

/* Make what runs what should run.  Returns when to look again, at the latest. */
static long
reconcile(List *states, bool *any_enabled)
{
	long		wait_ms = CYCLE_MS;
	ListCell   *cell;

	*any_enabled = false;
	foreach(cell, states)
	{
		const PipelineState *state = lfirst(cell);

		*any_enabled |= state->enabled;
		if (state->pid != 0)
		{
			if (state->is_worker && !(state->enabled && is_current(state)))
				kill(state->pid, SIGTERM);
			/* a run_pipeline is left to end; look soon whether it has */
			if (!state->is_worker && state->enabled)
				wait_ms = Min(wait_ms, 1000);
		}
		else if (state->enabled && state->retry_ms <= 0)
			start_worker(state);
		else if (state->enabled)
			wait_ms = Min(wait_ms, state->retry_ms);
	}
	return wait_ms;
}

/* End the workers of pipelines that are no more. */
static void
end_orphans(List *states)
{
	ListCell   *cell;

	foreach(cell, started)
	{
		StartedWorker *worker = lfirst(cell);
		bool		found = false;
		ListCell   *other;

		foreach(other, states)
			found |= ((PipelineState *) lfirst(other))->id == worker->pipeline;
		if (!found && is_starting_or_running(worker))
			TerminateBackgroundWorker(worker->handle);
	}
}

/*
 * One look.  Returns milliseconds to the next, -1 if there is nothing to
 * supervise.
 */
static long
cycle(MemoryContext cxt)
{
	MemoryContext old;
	List	   *states = NIL;
	bool		any_enabled = false;
	long		wait_ms;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	old = MemoryContextSwitchTo(cxt);
	if (OidIsValid(get_extension_oid("tracking_fdw", true)))
		states = pipeline_states();
	MemoryContextSwitchTo(old);
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_activity(STATE_IDLE, NULL);

	end_orphans(states);
	wait_ms = reconcile(states, &any_enabled);
	return any_enabled ? wait_ms : -1;
}

/* Tell the supervisor that is at work to look again. */
static void
wake_other(void)
{
	static const char query[] =
		"select pid from pg_catalog.pg_locks"
		" where locktype operator(pg_catalog.=) 'advisory' and granted"
		" and database operator(pg_catalog.=) $1"
		" and classid operator(pg_catalog.=) $2"
		" and objsubid operator(pg_catalog.=) $3";
	Oid			types[] = {OIDOID, OIDOID, INT4OID};
	Datum		values[] = {
		ObjectIdGetDatum(MyDatabaseId),
		ObjectIdGetDatum(PIPELINE_LOCK_CLASS),
		Int32GetDatum(PIPELINE_LOCK_SUPERVISE)
	};

	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	if (SPI_execute_with_args(query, 3, types, values, NULL, true, 1) ==
		SPI_OK_SELECT && SPI_processed > 0)
	{
		bool		isnull;
		int			pid = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
													  SPI_tuptable->tupdesc,
													  1, &isnull));
		PGPROC	   *proc = BackendPidGetProc(pid);

		if (proc != NULL)
			SetLatch(&proc->procLatch);
	}
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
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
	if (!pipeline_lock_supervise())
	{
		wake_other();
		proc_exit(0);
	}

	cxt = AllocSetContextCreate(TopMemoryContext, "tracking_fdw supervisor",
								ALLOCSET_DEFAULT_SIZES);
	while (!ShutdownRequestPending)
	{
		MemoryContextReset(cxt);
		wait_ms = cycle(cxt);
		if (wait_ms < 0)
		{
			/*
			 * Nothing to do: end.  A change that was committed while the
			 * lock was held woke us, so it must be looked for once more
			 * after the lock is gone.
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
