/*
 * source_start.h
 *	  The position at which the reading of a stream begins.
 *
 * The position must be one that a run can begin at again after a failure
 * without losing records.
 */
#ifndef TRACKING_PIPELINE_SOURCE_START_H
#define TRACKING_PIPELINE_SOURCE_START_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/*
 * Change a position that a user gave, as start_at, to one from which all
 * records are read that are put after this returns.  "latest" becomes the
 * stream's current time, and so does a time that is in the future by the
 * stream's clock; but if it is further ahead than clocks may differ, an error
 * is raised.  May ask the stream for its clock, as the pipeline's owner, and
 * wait for the answer.
 */
extern void source_start_settle(const Pipeline *pipeline, const char *start_at,
								StreamPosition *position);

#endif							/* TRACKING_PIPELINE_SOURCE_START_H */
