/*
 * pipeline_keeper.c
 *	  Makes what runs of a pipeline what should run; for a supervisor.
 *
 * What keeps a pipeline from running is written into its row when it begins,
 * and not again while it lasts, or at growing intervals; in between it is
 * remembered here.
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

/* While a session runs an enabled pipeline, whose end tells nobody. */
#define SESSION_CYCLE_MS 1000
/* When somebody has the pipeline's row locked. */
#define LOCKED_RETRY_MS 1000
/* When there was no room for a worker. */
#define ROOM_RETRY_MS 5000
/*
 * Its workers are replaced when their number changes; a working pipeline gets
 * more of them no sooner than that after the last time.
 */
#define GROW_MS 60000
/* One worker that ended in vain may have met a change; so many have not. */
#define ENDS_IN_VAIN 2

/* What a supervisor remembers of a pipeline. */
typedef struct Remembered
{
	int32		id;
	int64		generation;		/* to which the rest belongs */
	bool		refused;		/* the last failure was noted for that */
	bool		lacking;		/* ... for the lack of a worker */
	int			n_in_vain;		/* ends in vain that were noted */
	int64		next_ms;		/* not to be started before */
	int64		grow_ms;		/* not to be given more workers before */
} Remembered;

static List *memories = NIL;	/* of Remembered, in TopMemoryContext */
static int64 full_until_ms = 0; /* the server has no slot for more than... */
static int	full_with = 0;		/* ... that many workers here */

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
 * Note in the pipeline's row why it does not run; retry_ms as
 * pipeline_record_failure() takes it.  False if the row is locked.
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

/* Milliseconds until it may be tried again, or is to be looked at; 0: now. */
static long
time_left(const PipelineState *state, const Remembered *memory)
{
	int64		left_ms = Max(state->retry_ms,
							  memory->next_ms - clock_now_ms());

	return Max(Min(left_ms, KEEPER_CYCLE_MS), 0);
}

/* Its owner may not have it run. */
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

/* Why it has no more workers, and what to do. */
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

/* There is no room for a worker of its. */
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

/* Have its shards spread among as many workers as it gets. */
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
 * Did its workers crash the server again and again?  Then it is stopped, and
 * the server lives.
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
 * The worker of a slot has ended in vain, not for the first time.  What it had
 * to say nobody has written down.
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

/* Start the workers that it lacks. */
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
		/* others need what it has too many, whether it is locked or not */
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
