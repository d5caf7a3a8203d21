/*
 * crash_count.h
 *	  Counts how often workers of a pipeline have crashed.
 *
 * When a worker crashes, that is, a signal ends it, the postmaster restarts
 * all server processes.  The count must survive that, which shared memory does
 * not, and must not wait for a commit.  So each pipeline has a file in
 * pg_stat_tmp, which base backups leave out and standbys do not have.  Its
 * records are valid for one postmaster only: if the postmaster was killed, or
 * the machine failed, no worker is to blame.
 */
#ifndef TRACKING_WORKER_CRASH_COUNT_H
#define TRACKING_WORKER_CRASH_COUNT_H

#include "postgres.h"

#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"

/*
 * A pipeline is stopped after so many crashes in a row, before each of which
 * the worker had applied nothing; and after so many recent crashes, whatever
 * was applied in between.
 */
#define CRASH_LIMIT_IN_A_ROW 3
#define CRASH_LIMIT_OF_LATE 10

/* Crashes of workers. */
typedef struct CrashCount
{
	int			in_a_row;		/* of workers that had applied nothing */
	int			of_late;		/* in all; one is forgotten every ten minutes
								 * that a worker lives */
} CrashCount;

/*
 * To be called by a worker before it does any work of the pipeline.  From now
 * on its end counts as a crash, unless it exits, or the postmaster ends it
 * because another process has crashed.
 */
extern void crash_count_begin(int32 pipeline, int slot, int64 generation);

/*
 * To be called by a worker in each round.  Once it has applied records, or has
 * had nothing to do for a while, in_a_row is cleared; with time of_late is
 * counted down.
 */
extern void crash_count_live(bool applied);

/*
 * To be called by a supervisor when it begins.  With restart_after_crash off
 * the postmaster exits after a crash, and some other program starts another
 * one.  If the last supervisor was ended by SIGQUIT, this was the case, and
 * the counts of the last postmaster are made valid for this one.
 */
extern void crash_count_supervise(void);

/*
 * The crashes of a pipeline's workers of this generation in its first n_slots
 * slots.  working has the slots whose workers are alive.
 */
extern CrashCount crash_count_read(int32 pipeline, int64 generation,
								   int n_slots, const Bitmapset *working);

/*
 * Did the worker that was started in this slot at that time (by
 * clock_now_ms()) end before it called crash_count_begin(), or was it
 * terminated before it had applied anything?  False if it exited by itself.
 */
extern bool crash_count_was_in_vain(int32 pipeline, int slot,
									int64 started_ms);

/*
 * Remove the files of this database's pipelines, except of those in ids (a
 * List of int), and the files of databases that no longer exist.  Needs a
 * transaction.
 */
extern void crash_count_sweep(List *ids);

#endif							/* TRACKING_WORKER_CRASH_COUNT_H */
