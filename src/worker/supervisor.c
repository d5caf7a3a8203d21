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
#include "base/search_path.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_extension.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "config/guc.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "sink/catalog.h"
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
/* ... and while a session runs an enabled pipeline, whose end tells nobody. */
#define SESSION_CYCLE_MS 1000
/* A worker that ended is started again no sooner after it was started. */
#define RESTART_MS 1000
/* When no worker slot was free. */
#define SLOT_RETRY_MS 5000

/* A worker that this supervisor started. */
typedef struct StartedWorker
{
	int32		pipeline;
	int			slot;
	Oid			owner;			/* it connected as */
	int64		generation;
	int64		started_ms;
	BackgroundWorkerHandle *handle;
} StartedWorker;

static uint32 supervisor_wait_event = 0;
static bool start_wanted = false;
static List *started = NIL;		/* of StartedWorker, in TopMemoryContext */
static object_access_hook_type next_access_hook = NULL;

bool
supervisor_start(Oid database)
{
	BackgroundWorker worker;

	worker_init(&worker, SUPERVISOR_TYPE, "tracking_fdw_supervisor_main");
	/* without a launcher, only the postmaster is there to start it again */
	if (!launcher_is_registered())
		worker.bgw_restart_time = 10;
	worker.bgw_main_arg = ObjectIdGetDatum(database);
	return RegisterDynamicBackgroundWorker(&worker, NULL);
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	(void) arg;
	if (event == XACT_EVENT_COMMIT && start_wanted && !IsBinaryUpgrade &&
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
find_started(int32 pipeline, int slot)
{
	ListCell   *cell;

	foreach(cell, started)
	{
		StartedWorker *worker = lfirst(cell);

		if (worker->pipeline == pipeline && worker->slot == slot)
			return worker;
	}
	return NULL;
}

static StartedWorker *
find_or_add_started(int32 pipeline, int slot)
{
	StartedWorker *worker = find_started(pipeline, slot);
	MemoryContext old;

	if (worker != NULL)
		return worker;
	old = MemoryContextSwitchTo(TopMemoryContext);
	worker = palloc0(sizeof(StartedWorker));
	worker->pipeline = pipeline;
	worker->slot = slot;
	started = lappend(started, worker);
	MemoryContextSwitchTo(old);
	return worker;
}

/* Was it started with the settings, and as the owner, that there are now? */
static bool
is_up_to_date(const StartedWorker *worker, const PipelineState *state)
{
	return worker->generation == state->generation &&
		worker->owner == state->owner;
}

/* A worker was registered and has not ended. */
static bool
is_starting_or_running(const StartedWorker *worker)
{
	pid_t		pid;

	return worker->handle != NULL &&
		GetBackgroundWorkerPid(worker->handle, &pid) != BGWH_STOPPED;
}

/*
 * Note in the pipeline's status why it has no worker.  retry_ms as
 * pipeline_record_failure() takes it.
 */
static void
record_failure(const PipelineState *state, int sqlstate, char *message,
			   char *hint, int64 retry_ms)
{
	ErrorData	error = {
		.sqlerrcode = sqlstate, .message = message, .hint = hint
	};

	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	pipeline_record_failure(state->id, &error, retry_ms);
	PopActiveSnapshot();
	CommitTransactionCommand();
}

static bool
register_worker(const PipelineState *state, int slot,
				BackgroundWorkerHandle **handle)
{
	WorkerArgs	args = {
		MyDatabaseId, state->owner, state->id, slot, state->generation
	};
	BackgroundWorker worker;
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	bool		registered;

	worker_init(&worker, WORKER_TYPE, "tracking_fdw_worker_main");
	snprintf(worker.bgw_name, BGW_MAXLEN, WORKER_TYPE " %d.%d", state->id,
			 slot);
	worker.bgw_notify_pid = MyProcPid;
	memcpy(worker.bgw_extra, &args, sizeof(args));
	registered = RegisterDynamicBackgroundWorker(&worker, handle);
	MemoryContextSwitchTo(old);
	return registered;
}

/*
 * Start a worker.  Returns milliseconds until it may be looked at again: one
 * that ended without a word is not started over and over.
 */
static long
start_worker(const PipelineState *state, int slot)
{
	StartedWorker *entry = find_or_add_started(state->id, slot);
	int64		now_ms = clock_now_ms();

	if (is_starting_or_running(entry))
		return CYCLE_MS;
	if (is_up_to_date(entry, state) &&
		now_ms < entry->started_ms + RESTART_MS)
		return entry->started_ms + RESTART_MS - now_ms;
	if (!state->may_connect)
	{
		record_failure(state, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
					   "the owner of the pipeline no longer exists, or may not log in",
					   "Drop the pipeline and create it as another role, or ALTER ROLE ... LOGIN (it needs no password for this) and call tracking.start_pipeline().",
					   -1);
		return CYCLE_MS;
	}

	if (entry->handle != NULL)
		pfree(entry->handle);
	entry->handle = NULL;
	entry->generation = state->generation;
	entry->owner = state->owner;
	entry->started_ms = now_ms;
	if (!register_worker(state, slot, &entry->handle))
	{
		entry->handle = NULL;
		record_failure(state, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
					   "no background worker slot is free for the pipeline",
					   "Increase max_worker_processes, or stop other pipelines.",
					   SLOT_RETRY_MS);
		return SLOT_RETRY_MS;
	}
	return CYCLE_MS;
}

/* Is the pipeline to run at all? */
static bool
is_wanted(const PipelineState *state)
{
	return state->enabled && state->is_home && guc_run_pipelines();
}

/* Should this process be running as it does? */
static bool
is_current(const PipelineState *state, const PipelineRunner *runner)
{
	StartedWorker *entry = find_started(state->id, runner->slot);

	return is_wanted(state) && runner->slot < state->workers &&
		entry != NULL && is_up_to_date(entry, state);
}

/*
 * End the workers that should not run, or not with the settings they have.
 * True if there were none: only then may others start, so that a shard that
 * changes hands is never read by two.
 */
static bool
end_stale(const PipelineState *state)
{
	bool		none = true;
	ListCell   *cell;

	foreach(cell, state->runners)
	{
		const PipelineRunner *runner = lfirst(cell);

		if (runner->slot >= 0 && !is_current(state, runner))
		{
			kill(runner->pid, SIGTERM);
			none = false;
		}
	}
	foreach(cell, started)
	{
		StartedWorker *entry = lfirst(cell);

		/* started a moment ago, and it has no lock yet */
		if (entry->pipeline == state->id &&
			!is_up_to_date(entry, state) &&
			is_starting_or_running(entry))
		{
			TerminateBackgroundWorker(entry->handle);
			none = false;
		}
	}
	return none;
}

static bool
is_running(const PipelineState *state, int slot)
{
	ListCell   *cell;

	foreach(cell, state->runners)
	{
		if (((PipelineRunner *) lfirst(cell))->slot == slot)
			return true;
	}
	return false;
}

/*
 * Make what runs of a pipeline what should run.  Returns milliseconds until
 * it is to be looked at again, at the latest.
 */
static long
reconcile(const PipelineState *state)
{
	long		wait_ms = CYCLE_MS;

	if (!end_stale(state) || !is_wanted(state))
		return CYCLE_MS;
	if (is_running(state, -1))
		return SESSION_CYCLE_MS;
	if (state->retry_ms > 0)
		return Min(CYCLE_MS, state->retry_ms);
	for (int slot = 0; slot < state->workers; slot++)
	{
		if (!is_running(state, slot))
			wait_ms = Min(wait_ms, start_worker(state, slot));
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
 * Say once that there are pipelines which came from another database.  In a
 * transaction.
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
 * One look.  Returns milliseconds to the next, -1 if there is nothing to
 * supervise.
 */
static long
cycle(MemoryContext cxt)
{
	MemoryContext old;
	List	   *states = NIL;
	long		wait_ms = CYCLE_MS;
	bool		any_enabled = false;
	ListCell   *cell;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	old = MemoryContextSwitchTo(cxt);
	if (OidIsValid(get_extension_oid("tracking_fdw", true)))
	{
		pipeline_rebalance();
		states = pipeline_states();
	}
	tell_of_restored(states);
	MemoryContextSwitchTo(old);
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_activity(STATE_IDLE, NULL);

	end_orphans(states);
	foreach(cell, states)
	{
		const PipelineState *state = lfirst(cell);

		wait_ms = Min(wait_ms, reconcile(state));
		any_enabled |= state->enabled;
	}
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
		SPI_OK_SELECT && SPI_processed > 0 && !catalog_is_null(0, 1))
	{
		PGPROC	   *proc = BackendPidGetProc(catalog_int32(0, 1));

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
	search_path_settle();
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
		worker_reload_config();
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
