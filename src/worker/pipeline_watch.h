/*
 * pipeline_watch.h
 *	  Notices changes of the objects with which a run of a pipeline was opened.
 */
#ifndef TRACKING_WORKER_PIPELINE_WATCH_H
#define TRACKING_WORKER_PIPELINE_WATCH_H

#include "postgres.h"

#include "nodes/pg_list.h"

/*
 * Begin to watch: the relation source, unless it is InvalidOid, and all
 * foreign servers and user mappings, until pipeline_watch_only() says which
 * matter.  To be called once in a process, before it reads any of them.
 */
extern void pipeline_watch_begin(Oid source);

/*
 * Watch only these servers (a List of Oid), and the user mappings that owner
 * and PUBLIC have or will have for them.  Needs a transaction.
 */
extern void pipeline_watch_only(Oid owner, List *servers);

/*
 * Was a watched object altered?  Also true if it may have been: the server
 * drops invalidation messages for a process that has not read them for long.
 * To be called without a transaction.
 */
extern bool pipeline_watch_changed(void);

#endif							/* TRACKING_WORKER_PIPELINE_WATCH_H */
