/*
 * runner_tip.h
 *	  What a process that runs a pipeline says of the tips it has reached.
 *
 * A shard at its tip is asked again and again, and gives nothing: that is not
 * worth a write each time.  So it is told where the server keeps what its
 * processes are doing, as the progress of a command, of which no command of the
 * server's is under way meanwhile.  It ends with the process.
 */
#ifndef TRACKING_PIPELINE_RUNNER_TIP_H
#define TRACKING_PIPELINE_RUNNER_TIP_H

#include "postgres.h"

#include "datatype/timestamp.h"

/*
 * All shards of this process that are at their tips were so at that time, and
 * what had come by then is applied; 0: it is not known.
 */
extern void runner_tip_report(TimestampTz tip_at);

#endif							/* TRACKING_PIPELINE_RUNNER_TIP_H */
