/*
 * pipeline_reach.h
 *	  Tells what of a pipeline's source cannot be read, and how far it is read.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_REACH_H
#define TRACKING_PIPELINE_PIPELINE_REACH_H

#include "postgres.h"

#include "pipeline/pipeline_source.h"

/*
 * For a worker, each round: note what of the source cannot be read, and log when
 * that begins and ends.  Writes only when it is another than before.
 */
extern void pipeline_reach_tell(PipelineSource *source);

/* Let all see how far the source is read; writes nothing. */
extern void pipeline_reach_report(const PipelineSource *source);

/*
 * The run ends, in a transaction: write down what nobody can ask it any more.
 * Not after another session has moved the positions.
 */
extern void pipeline_reach_keep(const PipelineSource *source);

#endif							/* TRACKING_PIPELINE_PIPELINE_REACH_H */
