/*
 * worker.h
 *	  The processes: a launcher a server, a supervisor a database, a worker a
 *	  pipeline.
 *
 * They share no memory.  Who runs what is told by session locks, what should
 * run by tracking.pipeline; a process that is told of a change reads both
 * again.
 */
#ifndef TRACKING_WORKER_WORKER_H
#define TRACKING_WORKER_WORKER_H

#include "postgres.h"

#include <signal.h>

#include "base/compat.h"
#include "postmaster/bgworker.h"

/* backend_type in pg_stat_activity */
#define WORKER_TYPE "tracking_fdw pipeline"
#define SUPERVISOR_TYPE "tracking_fdw supervisor"
#define LAUNCHER_TYPE "tracking_fdw launcher"

/*
 * By which a supervisor tells a worker to end: it cancels what it runs.  A
 * process that is not so far takes no notice.
 */
#define WORKER_END_SIGNAL SIGUSR2

/* What a supervisor tells the worker it starts, in bgw_extra. */
typedef struct WorkerArgs
{
	Oid			database;
	Oid			owner;			/* role that the worker connects as */
	int32		pipeline;
	int32		slot;			/* number of the worker in its pipeline */
	int			n_workers;		/* that are to run with it */
	int64		generation;		/* of the settings it is to run with */
} WorkerArgs;

/* in worker.c */

/*
 * A background worker of this type (and name), with this function of the
 * library; not started again when it ends.
 */
extern void worker_init(BackgroundWorker *worker, const char *type,
						const char *function);

/* Register the launcher; from _PG_init, under shared_preload_libraries. */
extern void worker_register_launcher(void);

/* The library is in shared_preload_libraries. */
extern bool worker_has_launcher(void);

/* A transaction of a process's own, with a snapshot. */
extern void worker_begin(void);
extern void worker_commit(void);

/* Take up what the configuration says, if it was reloaded; true if it was. */
extern bool worker_reload_config(void);

/* Let statistics be seen, if any are left and it is time; out of a transaction. */
extern void worker_report_stat(void);

/*
 * Milliseconds to the next try of a pipeline that has failed so often in a row
 * and once more.
 */
extern int64 worker_retry_ms(int failures);

/* in supervisor.c */

/* Notice when the extension is dropped; once, from _PG_init. */
extern void supervisor_init(void);

/*
 * Start a supervisor for a database.  One that finds another at work wakes
 * that one and ends, so this is also how to tell it of a change.  False if no
 * worker slot is free.  *handle is palloc'd; handle may be NULL.
 */
extern bool supervisor_start(Oid database, BackgroundWorkerHandle **handle);

/* The same for this database, once the transaction commits. */
extern void supervisor_start_at_commit(void);

/* Process entries; found by name when the postmaster starts them. */
pg_noreturn extern PGDLLEXPORT void tracking_fdw_launcher_main(Datum arg);
pg_noreturn extern PGDLLEXPORT void tracking_fdw_supervisor_main(Datum arg);
pg_noreturn extern PGDLLEXPORT void tracking_fdw_worker_main(Datum arg);

#endif							/* TRACKING_WORKER_WORKER_H */
