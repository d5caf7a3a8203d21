/*
 * runner_tip.h
 *	  Shows how far a process that runs a pipeline has read its source.
 *
 * A shard at its tip is polled again and again, and yields no record: the time
 * of each poll is not worth a write to the catalog.  So the process puts it
 * into the progress parameters of its entry in the server's backend status
 * array, which no command of the server uses meanwhile.  It is gone when the
 * process ends.  tracking.runner_tips(), in runner_tip.c, reads it.
 */
#ifndef TRACKING_PIPELINE_RUNNER_TIP_H
#define TRACKING_PIPELINE_RUNNER_TIP_H

#include "postgres.h"

#include "datatype/timestamp.h"

/*
 * Show that all shards of this process that are at their tips were there at
 * the time tip_at, and that all their records until then are applied; 0: no
 * such time is known.
 */
extern void runner_tip_report(TimestampTz tip_at);

#endif							/* TRACKING_PIPELINE_RUNNER_TIP_H */
