/*
 * pipeline_watch.h
 *	  Notices changes of what a run of a pipeline was opened with.
 */
#ifndef TRACKING_WORKER_PIPELINE_WATCH_H
#define TRACKING_WORKER_PIPELINE_WATCH_H

#include "postgres.h"

/*
 * Watch this source, with the server and the user mapping that it is reached
 * by; one in a process.  To be called before they are read.
 */
extern void pipeline_watch_begin(Oid source);

/*
 * Was the source altered, or any server or user mapping?  Or may it have been:
 * nobody keeps a list for those who do not look for long.  To be called without
 * a transaction.
 */
extern bool pipeline_watch_changed(void);

#endif							/* TRACKING_WORKER_PIPELINE_WATCH_H */
