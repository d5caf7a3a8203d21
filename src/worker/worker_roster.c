/*
 * worker_roster.c
 *	  The workers that this supervisor has started.
 */
#include "postgres.h"

#include <signal.h>

#include "base/clock.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "worker/crash_count.h"
#include "worker/worker.h"
#include "worker/worker_roster.h"

/* The least time between two starts of a slot's worker. */
#define RESTART_MS 1000
/* It is doubled for each worker that ends in vain, up to this. */
#define RESTART_CAP_MS 60000
/* A worker that has not ended so long after WORKER_END_SIGNAL gets SIGTERM. */
#define END_PATIENCE_MS 5000

typedef struct StartedWorker
{
	int32		pipeline;
	int			slot;
	Oid			owner;			/* role that it is connected as */
	int64		generation;
	int			n_workers;		/* to which the shards are assigned */
	int64		started_ms;		/* by clock_now_ms() */
	int64		ending_ms;		/* when it was first told to end, or 0 */
	int			n_in_vain;		/* workers of this slot that ended in vain,
								 * one after another */
	BackgroundWorkerHandle *handle;
} StartedWorker;

static List *started = NIL;		/* of StartedWorker, in TopMemoryContext */

static StartedWorker *
find(int32 pipeline, int slot)
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
find_or_add(int32 pipeline, int slot)
{
	StartedWorker *worker = find(pipeline, slot);
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

/* Was the worker registered, and has not ended? */
static bool
is_alive(const StartedWorker *worker)
{
	pid_t		pid;

	return worker->handle != NULL &&
		GetBackgroundWorkerPid(worker->handle, &pid) != BGWH_STOPPED;
}

Bitmapset *
worker_roster_slots(const PipelineState *state)
{
	Bitmapset  *slots = NULL;
	ListCell   *cell;

	foreach(cell, state->runners)
	{
		int			slot = ((const PipelineRunner *) lfirst(cell))->slot;

		if (slot >= 0)
			slots = bms_add_member(slots, slot);
	}
	foreach(cell, started)
	{
		const StartedWorker *worker = lfirst(cell);

		if (worker->pipeline == state->id && is_alive(worker))
			slots = bms_add_member(slots, worker->slot);
	}
	return slots;
}

int
worker_roster_count(void)
{
	int			n = 0;
	ListCell   *cell;

	foreach(cell, started)
		n += is_alive(lfirst(cell));
	return n;
}

bool
worker_roster_session(const PipelineState *state)
{
	ListCell   *cell;

	foreach(cell, state->runners)
	{
		if (((const PipelineRunner *) lfirst(cell))->slot < 0)
			return true;
	}
	return false;
}

/* Was the worker started with the current settings, as the current owner? */
static bool
is_current(const PipelineState *state, const StartedWorker *worker)
{
	return worker != NULL && worker->generation == state->generation &&
		worker->owner == state->owner && worker->n_workers == state->granted;
}

/*
 * Tell a worker's process to end, by a signal that leaves nothing in the log.
 * If its query does not let itself be canceled, a later call terminates it.
 */
static void
end_process(StartedWorker *worker, int pid)
{
	int64		now_ms = clock_now_ms();

	if (worker->ending_ms == 0)
		worker->ending_ms = now_ms;
	kill(pid, now_ms < worker->ending_ms + END_PATIENCE_MS ?
		 WORKER_END_SIGNAL : SIGTERM);
}

/* The same for a worker that was started here, unless it has ended. */
static void
end_started(StartedWorker *worker)
{
	pid_t		pid;

	switch (GetBackgroundWorkerPid(worker->handle, &pid))
	{
		case BGWH_STARTED:
			end_process(worker, pid);
			break;
		case BGWH_NOT_YET_STARTED:
			worker->ending_ms = clock_now_ms();
			TerminateBackgroundWorker(worker->handle);
			break;
		default:
			break;
	}
}

bool
worker_roster_end(const PipelineState *state, int n_kept)
{
	bool		none_stale = true;
	ListCell   *cell;

	foreach(cell, state->runners)
	{
		const PipelineRunner *runner = lfirst(cell);
		bool		stale = !is_current(state, find(state->id, runner->slot));

		if (runner->slot < 0 || (runner->slot < n_kept && !stale))
			continue;
		/* an earlier supervisor may have started it */
		end_process(find_or_add(state->id, runner->slot), runner->pid);
		none_stale &= !stale;
	}
	foreach(cell, started)
	{
		StartedWorker *worker = lfirst(cell);
		bool		stale = !is_current(state, worker);

		if (worker->pipeline != state->id || !is_alive(worker) ||
			(worker->slot < n_kept && !stale))
			continue;
		end_started(worker);
		none_stale &= !stale;
	}
	return none_stale;
}

static bool
is_among(int32 pipeline, List *states)
{
	ListCell   *cell;

	foreach(cell, states)
	{
		if (((const PipelineState *) lfirst(cell))->id == pipeline)
			return true;
	}
	return false;
}

bool
worker_roster_end_orphans(List *states)
{
	bool		any = false;
	ListCell   *cell;

	foreach(cell, started)
	{
		StartedWorker *worker = lfirst(cell);

		if (is_among(worker->pipeline, states))
			continue;
		any = true;
		if (is_alive(worker))
		{
			end_started(worker);
			continue;
		}
		started = foreach_delete_current(started, cell);
		if (worker->handle != NULL)
			pfree(worker->handle);
		pfree(worker);
	}
	return any;
}

/*
 * The slot's worker, if there was one, has ended: count whether in vain, so
 * that a worker that cannot connect, say, is started at growing intervals.  A
 * worker that was told to end did not end in vain.
 */
static void
note_end(StartedWorker *worker)
{
	if (worker->handle == NULL)
		return;
	if (worker->ending_ms == 0 &&
		crash_count_was_in_vain(worker->pipeline, worker->slot,
								worker->started_ms))
		worker->n_in_vain++;
	else
		worker->n_in_vain = 0;
	pfree(worker->handle);
	worker->handle = NULL;
}

static bool
register_worker(const PipelineState *state, StartedWorker *entry)
{
	WorkerArgs	args = {
		.database = MyDatabaseId,
		.owner = state->owner,
		.pipeline = state->id,
		.slot = entry->slot,
		.n_workers = state->granted,
		.generation = state->generation
	};
	BackgroundWorker worker;
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	bool		registered;

	worker_init(&worker, WORKER_TYPE, "tracking_fdw_worker_main");
	snprintf(worker.bgw_name, BGW_MAXLEN, WORKER_TYPE " %d.%d", state->id,
			 entry->slot);
	worker.bgw_notify_pid = MyProcPid;
	memcpy(worker.bgw_extra, &args, sizeof(args));
	registered = RegisterDynamicBackgroundWorker(&worker, &entry->handle);
	MemoryContextSwitchTo(old);
	if (!registered)
		entry->handle = NULL;
	return registered;
}

RosterStart
worker_roster_start(const PipelineState *state, int slot, long *wait_ms,
					int *n_in_vain)
{
	StartedWorker *entry = find_or_add(state->id, slot);
	int64		now_ms = clock_now_ms();
	int64		again_ms;

	note_end(entry);
	if (!is_current(state, entry))
		entry->n_in_vain = 0;
	*n_in_vain = entry->n_in_vain;
	again_ms = entry->started_ms +
		Min(RESTART_MS << Min(entry->n_in_vain, 6), RESTART_CAP_MS);
	if (is_current(state, entry) && now_ms < again_ms)
	{
		*wait_ms = again_ms - now_ms;
		return ROSTER_LATER;
	}
	entry->generation = state->generation;
	entry->owner = state->owner;
	entry->n_workers = state->granted;
	entry->started_ms = now_ms;
	entry->ending_ms = 0;
	return register_worker(state, entry) ? ROSTER_STARTED : ROSTER_NO_SLOT;
}
