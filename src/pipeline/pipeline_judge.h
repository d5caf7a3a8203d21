/*
 * pipeline_judge.h
 *	  Whether a pipeline stops for the records that it cannot apply.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_JUDGE_H
#define TRACKING_PIPELINE_PIPELINE_JUDGE_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"
#include "stream/batch.h"

/* Zeroed but for the first two. */
typedef struct PipelineJudge
{
	MemoryContext cxt;			/* of the verdict */
	const Pipeline *pipeline;
	bool		rejecting;		/* the pipeline was said to be */
	ErrorData  *verdict;		/* why it stops, to be thrown; NULL: it does
								 * not */
} PipelineJudge;

/*
 * A batch has more rejects than the pipeline's on_error and max_errors allow:
 * the pipeline stops.  Cuts the batch off before its first reject, or before
 * its first record, so that what is left is to be applied anew.
 */
extern void pipeline_judge_cut(PipelineJudge *judge, Batch *batch);

/*
 * A batch was applied: does the pipeline stop, as too large a share of its
 * recent records was rejected?  Warns, once, when most of them are.  In the
 * transaction that applied it.
 */
extern void pipeline_judge_batch(PipelineJudge *judge, const Batch *batch);

#endif							/* TRACKING_PIPELINE_PIPELINE_JUDGE_H */
