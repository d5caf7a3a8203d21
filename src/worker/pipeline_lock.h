/*
 * pipeline_lock.h
 *	  Session locks, which show who runs a pipeline and who supervises a
 *	  database.
 *
 * These are advisory locks of a kind that SQL's pg_advisory_lock() cannot
 * take; in pg_locks their classid is PIPELINE_LOCK_CLASS.  The server releases
 * them when the process ends, however it ends.  They keep two processes from
 * running the same shards at the same time; that no record is applied twice
 * does not depend on them, but on the positions in tracking.checkpoint.
 *
 * Locks with database 0 are for the whole server.
 */
#ifndef TRACKING_WORKER_PIPELINE_LOCK_H
#define TRACKING_WORKER_PIPELINE_LOCK_H

#include "postgres.h"

/* 'trkf'; views in the install script have this number, too */
#define PIPELINE_LOCK_CLASS 1953655654
/*
 * The kinds of locks, as objsubid in pg_locks; pg_advisory_lock() uses 1 and
 * 2.  objid is the pipeline's id unless another is named.
 */
#define PIPELINE_LOCK_RUN 3
#define PIPELINE_LOCK_SUPERVISE 4
/* a role creates a pipeline; objid is the role's OID */
#define PIPELINE_LOCK_CREATE 5
/* a worker waits as its transactions are read-only; it holds its own, too */
#define PIPELINE_LOCK_READ_ONLY 9
/* worker number n of a pipeline: this plus n */
#define PIPELINE_LOCK_WORKER 16
/* database 0: a supervisor waits for a worker; objid is a PipelineNeed */
#define PIPELINE_LOCK_NEED 6
/*
 * database 0: the launcher, with objid 0, and 1 while it lacks a slot; the
 * view pipeline_status has these numbers, too
 */
#define PIPELINE_LOCK_LAUNCH 7

/*
 * Take the lock for a session that runs all shards of a pipeline; returns
 * false if another session or a worker runs it.  While it is held no worker
 * can get its lock.
 */
extern bool pipeline_lock_run(int32 id);
extern void pipeline_unlock_run(int32 id);

/*
 * Take the lock for worker number slot of a pipeline; returns false if there
 * is such a worker, or a session runs the pipeline.
 */
extern bool pipeline_lock_worker(int32 id, int slot);

/* For a worker: show that it waits as PIPELINE_LOCK_READ_ONLY says, or not. */
extern void pipeline_lock_read_only(int32 id);
extern void pipeline_unlock_read_only(int32 id);

/* For the launcher: show that it is at work, and whether it lacks a slot. */
extern void pipeline_lock_launch(void);
extern void pipeline_lock_launch_lack(bool lacks);

/*
 * Take the lock to supervise this database; false if another process has it.
 */
extern bool pipeline_lock_supervise(void);
extern void pipeline_unlock_supervise(void);

/*
 * Take the lock under which role creates a pipeline, until the transaction
 * ends.  Waits for other sessions that have it.
 */
extern void pipeline_lock_create(Oid role);

/*
 * What a supervisor waits for, so that those of other databases make room for
 * it: the objid of its lock.  A larger value is more urgent.
 */
typedef enum PipelineNeed
{
	NEED_NOTHING,
	NEED_FIRST_OF_PIPELINE,		/* a worker for a pipeline that has none */
	NEED_FIRST_OF_ROLE			/* ... and whose owner has no worker at all */
} PipelineNeed;

/*
 * Show the other supervisors what this one waits for, instead of what it
 * waited for before.  Returns true if that is new and not NEED_NOTHING.
 */
extern bool pipeline_lock_need(PipelineNeed need);

#endif							/* TRACKING_WORKER_PIPELINE_LOCK_H */
