/*
 * worker_share.c
 *	  How many workers each pipeline gets when there are not enough.
 *
 * Each database has a supervisor of its own, and no supervisor decides for
 * all.  A supervisor does not touch the workers of other databases.  When
 * another one shows that it needs a worker, it gives up some of its own: for a
 * pipeline that has no worker, any but the first worker of a pipeline; for a
 * role that has none, any but the first worker of a role.
 */
#include "postgres.h"

#include "worker/worker_share.h"

/* A role's workers: those in other databases, and those given here so far. */
typedef struct RoleTally
{
	Oid			role;
	int			n;
} RoleTally;

/* The state of worker_share_out(). */
typedef struct Sharing
{
	List	   *states;
	const WorkerRoom *room;
	List	   *tallies;		/* RoleTally * */
	int			working;		/* workers that run or start here */
	int			left;			/* workers that can still be given here */
	int			given;			/* workers that were given here */
} Sharing;

/* The order in which pipelines get their first worker. */
typedef enum FirstRank
{
	RANK_WORKS_FIRST_OF_ROLE,	/* has workers, and its role was given none */
	RANK_FIRST_OF_ROLE,			/* has none, and its role was given none */
	RANK_WORKS,					/* has workers */
	RANK_WAITS,					/* has none */
	RANK_LATER					/* has failed, and must wait to be retried */
} FirstRank;

static bool
takes_part(const PipelineState *state)
{
	return state->enabled && state->refusal == NULL;
}

static RoleTally *
of_role(Sharing *sharing, Oid role)
{
	RoleTally  *tally;
	ListCell   *cell;

	foreach(cell, sharing->tallies)
	{
		tally = lfirst(cell);
		if (tally->role == role)
			return tally;
	}
	tally = palloc(sizeof(RoleTally));
	tally->role = role;
	tally->n = worker_room_elsewhere(sharing->room, role);
	sharing->tallies = lappend(sharing->tallies, tally);
	return tally;
}

/* Has the pipeline's owner as many workers as it may have? */
static bool
is_role_full(Sharing *sharing, const PipelineState *state)
{
	return !state->of_superuser &&
		of_role(sharing, state->owner)->n >= sharing->room->max_of_role;
}

static void
give(Sharing *sharing, PipelineState *state)
{
	of_role(sharing, state->owner)->n++;
	state->share++;
	sharing->given++;
	sharing->left--;
}

static FirstRank
first_rank(Sharing *sharing, const PipelineState *state)
{
	bool		first_of_role = of_role(sharing, state->owner)->n == 0;

	if (state->n_working > 0)
		return first_of_role ? RANK_WORKS_FIRST_OF_ROLE : RANK_WORKS;
	if (state->retry_ms > 0)
		return RANK_LATER;
	return first_of_role ? RANK_FIRST_OF_ROLE : RANK_WAITS;
}

static void
share_first(Sharing *sharing, FirstRank rank)
{
	ListCell   *cell;

	foreach(cell, sharing->states)
	{
		PipelineState *state = lfirst(cell);

		if (!takes_part(state) || state->share > 0 ||
			sharing->left <= 0 || first_rank(sharing, state) != rank ||
			is_role_full(sharing, state))
			continue;
		give(sharing, state);
	}
}

/*
 * Other supervisors need n workers, and have found no room.  So no more can be
 * given here than run here now, less n.
 */
static void
leave(Sharing *sharing, int n)
{
	if (n > 0)
		sharing->left = Min(sharing->left,
							sharing->working - sharing->given - n);
}

/* The most workers that a pipeline may get now. */
static int
most(const PipelineState *state, bool may_grow)
{
	if (may_grow || state->granted > state->allowed)
		return state->allowed;
	return state->granted;
}

/*
 * Give each pipeline that may have it a second worker, then a third, and so
 * on.  of_working: only as many as working pipelines have been granted before.
 */
static void
share_more(Sharing *sharing, bool of_working)
{
	bool		any;

	do
	{
		ListCell   *cell;

		any = false;
		foreach(cell, sharing->states)
		{
			PipelineState *state = lfirst(cell);
			bool		works = state->n_working > 0;

			if (sharing->left <= 0 || state->share == 0 ||
				(of_working && !works) ||
				state->share >= most(state, !of_working &&
									 (!works || state->may_grow)) ||
				is_role_full(sharing, state))
				continue;
			give(sharing, state);
			any = true;
		}
	} while (any);
}

/*
 * The most urgent need of workers that other supervisors could give up.  A
 * pipeline whose owner has as many workers as it may have needs none.
 */
static PipelineNeed
lacking(Sharing *sharing)
{
	PipelineNeed need = NEED_NOTHING;
	ListCell   *cell;

	foreach(cell, sharing->states)
	{
		PipelineState *state = lfirst(cell);

		state->role_is_full = is_role_full(sharing, state) &&
			sharing->room->max_of_role < sharing->room->max;
		if (!takes_part(state) || state->share > 0 || state->retry_ms > 0 ||
			is_role_full(sharing, state))
			continue;
		need = Max(need, of_role(sharing, state->owner)->n == 0 ?
				   NEED_FIRST_OF_ROLE : NEED_FIRST_OF_PIPELINE);
	}
	return need;
}

PipelineNeed
worker_share_out(List *states, const WorkerRoom *room)
{
	Sharing		sharing = {
		.states = states,
		.room = room
	};
	ListCell   *cell;

	foreach(cell, states)
	{
		PipelineState *state = lfirst(cell);

		state->share = 0;
		sharing.working += state->n_working;
	}
	sharing.left = Min(room->max_here,
					   room->max - worker_room_elsewhere(room, InvalidOid));

	share_first(&sharing, RANK_WORKS_FIRST_OF_ROLE);
	share_first(&sharing, RANK_FIRST_OF_ROLE);
	leave(&sharing, room->need_first_of_role);
	share_first(&sharing, RANK_WORKS);
	share_first(&sharing, RANK_WAITS);
	leave(&sharing, room->need_first_of_pipeline);
	share_first(&sharing, RANK_LATER);
	share_more(&sharing, true);
	share_more(&sharing, false);
	return lacking(&sharing);
}
