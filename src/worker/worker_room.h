/*
 * worker_room.h
 *	  The workers of the whole server, and whether there is room for more.
 *
 * They are counted by what the postmaster started them as, which no SQL that
 * they run can change.
 */
#ifndef TRACKING_WORKER_WORKER_ROOM_H
#define TRACKING_WORKER_WORKER_ROOM_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* The workers of a role in a database. */
typedef struct WorkerCount
{
	Oid			database;
	Oid			role;
	int			n;
} WorkerCount;

typedef struct WorkerRoom
{
	int			max;			/* workers in the server */
	int			max_of_role;
	int			max_here;		/* for the caller to lower */
	List	   *counts;			/* WorkerCount * */
	/* other supervisors that wait, see pipeline_lock.h */
	int			need_first_of_role;
	int			need_first_of_pipeline;
} WorkerRoom;

/* Look around, in the current context; in a transaction. */
extern void worker_room_look(WorkerRoom *room);

/* Workers in other databases: of a role, or of all (InvalidOid). */
extern int	worker_room_elsewhere(const WorkerRoom *room, Oid role);

/*
 * For a worker that begins: is there room for it?  Two supervisors that start
 * one each for the same place find out here.  In a transaction.
 */
extern bool worker_room_has_me(Oid role);

#endif							/* TRACKING_WORKER_WORKER_ROOM_H */
