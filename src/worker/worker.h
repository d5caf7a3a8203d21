/*
 * worker.h
 *	  The processes: one launcher for the server, one supervisor for each
 *	  database, and one or more workers for each pipeline.
 *
 * They share no memory.  Session locks tell who runs what, and
 * tracking.pipeline what should run; a process that is woken because something
 * has changed reads both again.
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
 * The signal by which a supervisor tells a worker to end: the worker cancels
 * its query.  A process that has not set its handler yet ignores the signal.
 */
#define WORKER_END_SIGNAL SIGUSR2

/* The arguments of a worker, in bgw_extra. */
typedef struct WorkerArgs
{
	Oid			database;
	Oid			owner;			/* role that the worker connects as */
	int32		pipeline;
	int32		slot;			/* number of the worker in its pipeline */
	int			n_workers;		/* workers of the pipeline, with this one */
	int64		generation;		/* of the pipeline when this was started */
} WorkerArgs;

/* in worker.c */

/*
 * Fill in a background worker of this type (and name) that runs this function
 * of the library, and is not started again when it ends.
 */
extern void worker_init(BackgroundWorker *worker, const char *type,
						const char *function);

/*
 * Register the launcher.  To be called from _PG_init() if the library is in
 * shared_preload_libraries.
 */
extern void worker_register_launcher(void);

/* Was the launcher registered (is the library in shared_preload_libraries)? */
extern bool worker_has_launcher(void);

/*
 * Begin a transaction with a snapshot in a background process, and commit it.
 */
extern void worker_begin(void);
extern void worker_commit(void);

/* Reload the configuration files if SIGHUP has come; true if it has. */
extern bool worker_reload_config(void);

/*
 * Report pending statistics to the server, if it is time.  To be called
 * outside a transaction.
 */
extern void worker_report_stat(void);

/*
 * Milliseconds to the next try of a pipeline that has failed now, and so often
 * in a row before.
 */
extern int64 worker_retry_ms(int failures);

/* in supervisor.c */

/*
 * Install a hook that notices DROP EXTENSION.  Called once, from _PG_init().
 */
extern void supervisor_init(void);

/*
 * Start a supervisor for a database.  If there is one already, the new one
 * wakes it and ends: so this is also how a change is announced.  Returns false
 * if no background worker slot is free.  *handle is palloc'd; handle may be
 * NULL.
 */
extern bool supervisor_start(Oid database, BackgroundWorkerHandle **handle);

/* The same for this database, when the transaction commits. */
extern void supervisor_start_at_commit(void);

/* The main functions of the processes, which the server looks up by name. */
pg_noreturn extern PGDLLEXPORT void tracking_fdw_launcher_main(Datum arg);
pg_noreturn extern PGDLLEXPORT void tracking_fdw_supervisor_main(Datum arg);
pg_noreturn extern PGDLLEXPORT void tracking_fdw_worker_main(Datum arg);

#endif							/* TRACKING_WORKER_WORKER_H */
