/*
 * pipeline_judge.h
 *	  Whether a pipeline stops for the records that it cannot apply.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_JUDGE_H
#define TRACKING_PIPELINE_PIPELINE_JUDGE_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"
#include "stream/batch.h"

/* The caller sets the first two members, and zeroes the others. */
typedef struct PipelineJudge
{
	MemoryContext cxt;			/* has the verdict */
	const Pipeline *pipeline;
	bool		rejecting;		/* a warning that it is rejecting was logged */
	ErrorData  *verdict;		/* why the pipeline stops, for the caller to
								 * throw; NULL: it does not stop */
} PipelineJudge;

/*
 * To be called when a batch has more rejects than the pipeline's on_error and
 * max_errors allow: sets the verdict.  Cuts the batch off before its first
 * reject (on_error is stop) or before its first record, so that the caller can
 * apply what is left of it.
 */
extern void pipeline_judge_cut(PipelineJudge *judge, Batch *batch);

/*
 * To be called in the transaction that has applied a batch: sets the verdict
 * if too large a share of the pipeline's recent records was rejected.  Logs a
 * warning, once, when most of them were.
 */
extern void pipeline_judge_batch(PipelineJudge *judge, const Batch *batch);

#endif							/* TRACKING_PIPELINE_PIPELINE_JUDGE_H */
