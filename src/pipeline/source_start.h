/*
 * source_start.h
 *	  Where a stream is begun: a place that can be come back to.
 */
#ifndef TRACKING_PIPELINE_SOURCE_START_H
#define TRACKING_PIPELINE_SOURCE_START_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/*
 * Make of a position that a user gave, as start_at, one that loses nothing
 * which is put after this returns: latest becomes a time, and a time that the
 * stream has not come to is the stream's now, or refused if no difference of
 * clocks explains it.  May ask the stream, as the pipeline's owner, and wait.
 */
extern void source_start_settle(const Pipeline *pipeline, const char *start_at,
								StreamPosition *position);

#endif							/* TRACKING_PIPELINE_SOURCE_START_H */
