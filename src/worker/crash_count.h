/*
 * crash_count.h
 *	  How often the workers of a pipeline ended without a word.
 *
 * Such an end is a crash of the server: a signal ended the worker, and the
 * postmaster begins anew with all others.  What is counted must outlive that,
 * shared memory does not, and no commit is to be waited for.  So it is in a
 * file of pg_stat_tmp for each pipeline, which neither a base backup nor a
 * standby has, and which means nothing to another postmaster: that the last
 * one was killed, or the machine with it, is nobody's fault here.
 */
#ifndef TRACKING_WORKER_CRASH_COUNT_H
#define TRACKING_WORKER_CRASH_COUNT_H

#include "postgres.h"

#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"

/*
 * After so many in a row, none of which had applied a batch, a pipeline is not
 * started again; nor after so many of late, whatever was applied in between.
 */
#define CRASH_LIMIT_IN_A_ROW 3
#define CRASH_LIMIT_OF_LATE 10

typedef struct CrashCount
{
	int			in_a_row;
	int			of_late;
} CrashCount;

/*
 * For a worker: from now on its end counts unless it exits, or the postmaster
 * ends it because of another process.  Before it does anything of the pipeline.
 */
extern void crash_count_begin(int32 pipeline, int slot, int64 generation);

/*
 * For a worker, once a round: it goes on.  When it has applied records, or has
 * had nothing to do for a while, those in a row are forgotten, and with time
 * those of late.
 */
extern void crash_count_live(bool applied);

/*
 * For a supervisor, as it begins.  A postmaster that is told not to start again
 * after a crash (restart_after_crash) leaves that to whoever watches it; then
 * the counts of the last one go on, as the supervisor got SIGQUIT, too.
 */
extern void crash_count_supervise(void);

/*
 * Count the ends of a pipeline's workers of this generation in its first
 * n_slots slots, given those whose workers are at work.
 */
extern CrashCount crash_count_read(int32 pipeline, int64 generation,
								   int n_slots, const Bitmapset *working);

/*
 * Did the worker that was started in this slot at that time (of clock_now_ms())
 * end before it began, or before it was of any use?  Not so if it has exited of
 * its own accord.
 */
extern bool crash_count_was_in_vain(int32 pipeline, int slot,
									int64 started_ms);

/*
 * Remove the files of this database's pipelines but those of ids (a List of
 * int), and those of databases that are no more.  In a transaction.
 */
extern void crash_count_sweep(List *ids);

#endif							/* TRACKING_WORKER_CRASH_COUNT_H */
