/*
 * worker_room.h
 *	  The workers of the whole server, and whether there is room for more.
 *
 * Workers are counted by their backend_type in pg_stat_activity, which no SQL
 * that they run can change.
 */
#ifndef TRACKING_WORKER_WORKER_ROOM_H
#define TRACKING_WORKER_WORKER_ROOM_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* The number of workers of a role in a database. */
typedef struct WorkerCount
{
	Oid			database;
	Oid			role;
	int			n;
} WorkerCount;

typedef struct WorkerRoom
{
	int			max;			/* most workers in the server */
	int			max_of_role;	/* most workers of one role */
	int			max_here;		/* most in this database; as max, unless the
								 * caller lowers it */
	List	   *counts;			/* WorkerCount * */
	/* how many other supervisors wait for what, see pipeline_lock.h */
	int			need_first_of_role;
	int			need_first_of_pipeline;
} WorkerRoom;

/* Fill in *room; its list is in the current context.  Needs a transaction. */
extern void worker_room_look(WorkerRoom *room);

/*
 * The number of workers in other databases, of a role or of all (InvalidOid).
 */
extern int	worker_room_elsewhere(const WorkerRoom *room, Oid role);

/*
 * For a worker that begins: is this worker within the limits?  Two supervisors
 * may have started one each when there was room for one; then the later of the
 * two gets false here, and ends.  Needs a transaction.
 */
extern bool worker_room_has_me(Oid role);

#endif							/* TRACKING_WORKER_WORKER_ROOM_H */
