/*
 * pipeline_lock.h
 *	  Who runs a pipeline, and who supervises a database: session locks.
 *
 * Advisory locks of a kind that SQL's pg_advisory_lock() cannot take; in
 * pg_locks their classid is PIPELINE_LOCK_CLASS.  They end with the process,
 * however it ends.  A lock keeps two runners from getting in each other's
 * way; that neither repeats a record is for the checkpoint to see to.
 *
 * Those of database 0 are the whole server's.
 */
#ifndef TRACKING_WORKER_PIPELINE_LOCK_H
#define TRACKING_WORKER_PIPELINE_LOCK_H

#include "postgres.h"

/* 'trkf'; the install script's view names it too */
#define PIPELINE_LOCK_CLASS 1953655654
/* objsubid in pg_locks; SQL's own are 1 and 2 */
#define PIPELINE_LOCK_RUN 3
#define PIPELINE_LOCK_SUPERVISE 4
/* a role that creates a pipeline, by its oid */
#define PIPELINE_LOCK_CREATE 5
/* a worker that waits, as its transactions are read-only; besides its own */
#define PIPELINE_LOCK_READ_ONLY 9
/* worker number n of a pipeline: this and n */
#define PIPELINE_LOCK_WORKER 16
/* of database 0: a supervisor that waits for a worker */
#define PIPELINE_LOCK_NEED 6
/* of database 0: the launcher; the view pipeline_status names it and its objid */
#define PIPELINE_LOCK_LAUNCH 7

/*
 * Take the lock to run a pipeline, by its id; false if it is running.  For a
 * session that runs all of it: there are no workers then.
 */
extern bool pipeline_lock_run(int32 id);
extern void pipeline_unlock_run(int32 id);

/*
 * Take the lock to be worker number slot of a pipeline; false if it has that
 * worker, or a session runs all of it.
 */
extern bool pipeline_lock_worker(int32 id, int slot);

/* For a worker: show that it waits, or that it no longer does. */
extern void pipeline_lock_read_only(int32 id);
extern void pipeline_unlock_read_only(int32 id);

/* Let all see that the launcher is at work, and whether it lacks a slot. */
extern void pipeline_lock_launch(void);
extern void pipeline_lock_launch_lack(bool lacks);

/* Take the lock to supervise this database; false if another has it. */
extern bool pipeline_lock_supervise(void);
extern void pipeline_unlock_supervise(void);

/* Wait for other sessions in which role creates pipelines; until the commit. */
extern void pipeline_lock_create(Oid role);

/*
 * What a supervisor waits for, which the others make room for: the objid of its
 * lock.  The more urgent, the larger.
 */
typedef enum PipelineNeed
{
	NEED_NOTHING,
	NEED_FIRST_OF_PIPELINE,		/* a worker for a pipeline that has none */
	NEED_FIRST_OF_ROLE			/* ... whose owner has none either */
} PipelineNeed;

/* Let the others see it, instead of what was said before; true if it is new. */
extern bool pipeline_lock_need(PipelineNeed need);

#endif							/* TRACKING_WORKER_PIPELINE_LOCK_H */
