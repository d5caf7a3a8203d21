/*
 * pipeline_watch.h
 *	  Notices changes of what a run of a pipeline was opened with.
 */
#ifndef TRACKING_WORKER_PIPELINE_WATCH_H
#define TRACKING_WORKER_PIPELINE_WATCH_H

#include "postgres.h"

#include "nodes/pg_list.h"

/*
 * Begin to watch, before anything is read: the source, unless it is InvalidOid,
 * and all servers and user mappings, as it is not known yet which matter.  One
 * in a process.
 */
extern void pipeline_watch_begin(Oid source);

/*
 * Now it is known: these servers (a List of Oid), with the user mappings that
 * owner and PUBLIC have or will have there.  In a transaction.
 */
extern void pipeline_watch_only(Oid owner, List *servers);

/*
 * Was any of it altered?  Or may it have been: nobody keeps a list for those
 * who do not look for long.  To be called without a transaction.
 */
extern bool pipeline_watch_changed(void);

#endif							/* TRACKING_WORKER_PIPELINE_WATCH_H */
