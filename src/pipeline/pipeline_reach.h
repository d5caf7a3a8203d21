/*
 * pipeline_reach.h
 *	  Reports which part of a pipeline's source cannot be read, and how far the
 *	  source is read.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_REACH_H
#define TRACKING_PIPELINE_PIPELINE_REACH_H

#include "postgres.h"

#include "pipeline/pipeline_source.h"

/*
 * For a worker to call in each round: note in the catalog which part of the
 * source cannot be read, and log when that begins and ends.  Writes nothing
 * while all can be read; else when it changes, and every ten seconds.
 */
extern void pipeline_reach_tell(PipelineSource *source);

/*
 * Show other sessions how far the source is read, by shared memory (see
 * runner_tip.h).
 */
extern void pipeline_reach_report(const PipelineSource *source);

/*
 * To be called in a transaction when the run ends: note in the catalog how far
 * the shards at their tips were read, as runner_tip.h has that only while the
 * process lives.  Not to be called after another session has moved the
 * positions.
 */
extern void pipeline_reach_keep(const PipelineSource *source);

#endif							/* TRACKING_PIPELINE_PIPELINE_REACH_H */
