/*
 * pipeline_keeper.c
 *	  Starts and ends the workers of one pipeline; for a supervisor.
 *
 * The reason why a pipeline cannot run is noted in its row once, or again at
 * growing intervals; in between the supervisor remembers it here.
 */
#include "postgres.h"

#include <limits.h>

#include "base/clock.h"
#include "config/guc.h"
#include "ledger/pipeline_note.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "worker/crash_count.h"
#include "worker/pipeline_keeper.h"
#include "worker/worker.h"
#include "worker/worker_roster.h"

/*
 * How often to look while a session runs an enabled pipeline by CALL
 * run_pipeline(): nothing wakes the supervisor when that ends.
 */
#define SESSION_CYCLE_MS 1000
/* When to try again if another session has the pipeline's row locked. */
#define LOCKED_RETRY_MS 1000
/* When to try again if there was no room for a worker. */
#define ROOM_RETRY_MS 5000
/*
 * When the number of a pipeline's workers changes, all are replaced.  So a
 * working pipeline gets more of them only so long after the last change.
 */
#define GROW_MS 60000
/*
 * So many workers in a row must end in vain before that is noted: a single one
 * may have ended because the pipeline was changed.
 */
#define ENDS_IN_VAIN 2

/* What a supervisor remembers of a pipeline. */
typedef struct Remembered
{
	int32		id;
	int64		generation;		/* for which the rest is valid */
	bool		refused;		/* it was noted that its owner may not run it */
	bool		lacking;		/* it was noted that no worker is free */
	int			n_in_vain;		/* workers that ended in vain when that was
								 * noted last */
	int64		next_ms;		/* when it may be started again */
	int64		grow_ms;		/* when it may get more workers */
} Remembered;

static List *memories = NIL;	/* of Remembered, in TopMemoryContext */
static int64 full_until_ms = 0; /* until then the server has no slot for ... */
static int	full_with = 0;		/* ... more than so many workers of ours */

static Remembered *
memory_of(const PipelineState *state)
{
	Remembered *memory;
	MemoryContext old;
	ListCell   *cell;

	foreach(cell, memories)
	{
		memory = lfirst(cell);
		if (memory->id == state->id)
			return memory;
	}
	old = MemoryContextSwitchTo(TopMemoryContext);
	memory = palloc0(sizeof(Remembered));
	memory->id = state->id;
	memories = lappend(memories, memory);
	MemoryContextSwitchTo(old);
	return memory;
}

bool
pipeline_keeper_forget(List *states)
{
	bool		any = false;
	ListCell   *cell;

	foreach(cell, memories)
	{
		Remembered *memory = lfirst(cell);
		bool		found = false;
		ListCell   *other;

		foreach(other, states)
			found |= ((PipelineState *) lfirst(other))->id == memory->id;
		if (found)
			continue;
		any = true;
		memories = foreach_delete_current(memories, cell);
		pfree(memory);
	}
	return any;
}

void
pipeline_keeper_prepare(PipelineState *state)
{
	Remembered *memory = memory_of(state);

	if (memory->generation != state->generation)
	{
		memory->generation = state->generation;
		memory->refused = memory->lacking = false;
		memory->n_in_vain = 0;
		memory->next_ms = 0;
	}
	if (memory->refused && state->refusal == NULL)
		state->retry_ms = memory->next_ms = 0;
	state->n_working = bms_num_members(worker_roster_slots(state));
	state->may_grow = clock_now_ms() >= memory->grow_ms;
}

int
pipeline_keeper_slots(void)
{
	return clock_now_ms() < full_until_ms ? full_with : INT_MAX;
}

void
pipeline_keeper_reconsider(void)
{
	ListCell   *cell;

	foreach(cell, memories)
		((Remembered *) lfirst(cell))->grow_ms = 0;
	full_until_ms = 0;
}

/*
 * Note in the pipeline's row why it does not run; for retry_ms see
 * pipeline_record_failure().  Returns false if the row is locked.
 */
static bool
note(const PipelineState *state, Remembered *memory, ErrorData *error,
	 int64 retry_ms)
{
	MemoryContext old = CurrentMemoryContext;
	bool		noted;

	worker_begin();
	noted = pipeline_try_record_failure(state->id, error, retry_ms);
	worker_commit();
	MemoryContextSwitchTo(old);
	memory->next_ms = clock_now_ms() + (noted ? retry_ms : LOCKED_RETRY_MS);
	return noted;
}

/*
 * Milliseconds until the pipeline may be started again, 0 if it may be now; no
 * more than to the supervisor's next look.
 */
static long
time_left(const PipelineState *state, const Remembered *memory)
{
	int64		left_ms = Max(state->retry_ms,
							  memory->next_ms - clock_now_ms());

	return Max(Min(left_ms, KEEPER_CYCLE_MS), 0);
}

/* The pipeline's owner may not run it: end its workers, and note why. */
static long
refuse(const PipelineState *state, Remembered *memory)
{
	const PipelineRefusal *refusal = state->refusal;
	ErrorData	error = {
		.sqlerrcode = refusal->sqlstate,
		.message = refusal->message,
		.hint = refusal->hint
	};

	(void) worker_roster_end(state, 0);
	if (time_left(state, memory) == 0 &&
		note(state, memory, &error, refusal->for_good ? -1 :
			 worker_retry_ms(state->failures)))
		memory->refused = true;
	return time_left(state, memory);
}

static bool
is_server_full(void)
{
	return clock_now_ms() < full_until_ms;
}

/* The hint that says why the pipeline has no more workers, and what to do. */
static char *
room_hint(const PipelineState *state)
{
	if (state->share >= state->allowed)
		return psprintf("A pipeline may have %d workers, by tracking_fdw.max_workers_per_pipeline.",
						guc_max_workers_per_pipeline());
	if (state->role_is_full)
		return psprintf("Its owner may have %d workers at once, by tracking_fdw.max_workers_per_role: stop other pipelines of that role, or raise it.",
						guc_max_workers_per_role());
	if (is_server_full())
		return pstrdup("Increase max_worker_processes, or stop other pipelines.");
	return psprintf("The server may have %d workers at once, by tracking_fdw.max_workers: stop other pipelines, or raise it and max_worker_processes.",
					guc_max_workers());
}

/* There is no room for a worker of the pipeline: note why. */
static long
lack(const PipelineState *state, Remembered *memory)
{
	ErrorData	error = {
		.sqlerrcode = ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
		.message = "no worker is free for the pipeline"
	};

	(void) worker_roster_end(state, 0);
	if (state->retry_ms > 0 || memory->lacking)
		return ROOM_RETRY_MS;
	if (!state->role_is_full && is_server_full())
		error.message = "no background worker slot is free for the pipeline";
	error.hint = room_hint(state);
	memory->lacking = note(state, memory, &error, 0);
	return ROOM_RETRY_MS;
}

/* Have the pipeline's shards assigned to as many workers as it gets. */
static bool
grant(PipelineState *state, Remembered *memory)
{
	MemoryContext old = CurrentMemoryContext;
	bool		granted;

	worker_begin();
	granted = pipeline_grant(state, state->share, room_hint(state));
	worker_commit();
	MemoryContextSwitchTo(old);
	memory->grow_ms = clock_now_ms() + GROW_MS;
	return granted;
}

/*
 * Have the pipeline's workers crashed the server again and again?  Then stop
 * it, so that the server can go on.
 */
static bool
is_broken(const PipelineState *state, Remembered *memory,
		  const Bitmapset *slots)
{
	CrashCount	count = crash_count_read(state->id, state->generation,
										 state->granted, slots);
	bool		in_a_row = count.in_a_row >= CRASH_LIMIT_IN_A_ROW;
	ErrorData	error = {.sqlerrcode = ERRCODE_SYSTEM_ERROR};

	if (!in_a_row && count.of_late < CRASH_LIMIT_OF_LATE)
		return false;
	error.message = psprintf("workers of pipeline \"%s\" have crashed %d times, and the server with them",
							 state->name,
							 in_a_row ? count.in_a_row : count.of_late);
	error.detail = in_a_row ?
		"None had applied anything before." :
		"Some records were applied in between.";
	error.hint = psprintf("The server's log says by which signal. Change what crashes, the command or a function, type or extension that it uses, then call tracking.start_pipeline(%s).",
						  quote_literal_cstr(state->name));
	(void) worker_roster_end(state, 0);
	(void) note(state, memory, &error, -1);
	return true;
}

/*
 * If workers of a slot have ended in vain several times, note that: they could
 * not note their errors themselves.
 */
static void
note_end_in_vain(const PipelineState *state, Remembered *memory, int n_in_vain,
				 long retry_ms)
{
	ErrorData	error = {
		.sqlerrcode = ERRCODE_CANNOT_CONNECT_NOW,
		.message = "a worker of the pipeline ended before it had applied anything",
		.hint = "The server's log says why."
	};

	if (n_in_vain >= ENDS_IN_VAIN && n_in_vain > memory->n_in_vain &&
		note(state, memory, &error, retry_ms))
		memory->n_in_vain = n_in_vain;
}

/* Start the workers that the pipeline lacks. */
static long
start(const PipelineState *state, Remembered *memory)
{
	Bitmapset  *slots = worker_roster_slots(state);
	long		next_ms = KEEPER_CYCLE_MS;

	if (bms_num_members(slots) == state->share)
		return KEEPER_CYCLE_MS;
	if (is_broken(state, memory, slots))
		return LOCKED_RETRY_MS;
	for (int slot = 0; slot < state->share; slot++)
	{
		long		wait_ms;
		int			n_in_vain;

		if (bms_is_member(slot, slots))
			continue;
		switch (worker_roster_start(state, slot, &wait_ms, &n_in_vain))
		{
			case ROSTER_STARTED:
				memory->refused = memory->lacking = false;
				break;
			case ROSTER_LATER:
				note_end_in_vain(state, memory, n_in_vain, wait_ms);
				next_ms = Min(next_ms, wait_ms);
				break;
			case ROSTER_NO_SLOT:
				full_until_ms = clock_now_ms() + ROOM_RETRY_MS;
				full_with = worker_roster_count();
				return 0;
		}
	}
	return next_ms;
}

long
pipeline_keeper_keep(PipelineState *state)
{
	Remembered *memory = memory_of(state);
	long		wait_ms;

	if (!state->enabled)
	{
		(void) worker_roster_end(state, 0);
		return KEEPER_CYCLE_MS;
	}
	if (state->refusal != NULL)
		return refuse(state, memory);
	if (state->share == 0)
		return lack(state, memory);
	if (state->share != state->granted && !grant(state, memory))
	{
		/* end surplus workers even so, as other pipelines need them */
		(void) worker_roster_end(state, state->share);
		return LOCKED_RETRY_MS;
	}
	if (!worker_roster_end(state, state->share))
		return KEEPER_CYCLE_MS;
	if (worker_roster_session(state))
		return SESSION_CYCLE_MS;
	wait_ms = time_left(state, memory);
	if (wait_ms > 0)
		return wait_ms;
	return start(state, memory);
}
