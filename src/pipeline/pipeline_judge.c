/*
 * pipeline_judge.c
 *	  Whether a pipeline stops for the records that it cannot apply.
 */
#include "postgres.h"

#include "ledger/checkpoint.h"
#include "pipeline/pipeline_failure.h"
#include "pipeline/pipeline_judge.h"

/*
 * A pipeline is "rejecting" when more than this share of its recent records
 * became dead letters, and there were at least so many recent records.  The
 * view tracking.pipeline_status says the same.
 */
#define REJECTING_RATIO 0.5
#define REJECTING_RECORDS 10

/* max_error_ratio is applied only to at least so many recent records. */
#define MIN_RATIO_RECORDS 100

/* The reject that comes first in the batch. */
static const BatchReject *
first_reject(const Batch *batch)
{
	ListCell   *cell;

	foreach(cell, batch->rejects)
	{
		const BatchReject *reject = lfirst(cell);

		if (reject->record.ordinal == bms_next_member(batch->rejected, -1))
			return reject;
	}
	pg_unreachable();
}

/*
 * The pipeline is to stop: make the error that says why and at which record.
 */
static void
set_verdict(PipelineJudge *judge, const Batch *batch, const char *why)
{
	const BatchReject *reject = first_reject(batch);
	MemoryContext old = MemoryContextSwitchTo(judge->cxt);
	ErrorData  *verdict = palloc0(sizeof(ErrorData));

	verdict->elevel = ERROR;
	verdict->domain = PIPELINE_FAILURE_FINAL;
	verdict->sqlerrcode = reject->sqlstate;
	verdict->message = psprintf("pipeline \"%s\" stopped%s",
								judge->pipeline->name, why);
	verdict->detail = psprintf("Record %s of shard \"%s\": %s",
							   batch_sequence(batch, &reject->record),
							   reject->record.shard_id, reject->reason);
	verdict->hint = pstrdup("Mend the command, its tables or the source's columns and call tracking.start_pipeline(); or have such records kept as dead letters: tracking.alter_pipeline(..., on_error => 'dead_letter', max_errors => -1, max_error_ratio => 1).");
	judge->verdict = verdict;
	MemoryContextSwitchTo(old);
}

void
pipeline_judge_cut(PipelineJudge *judge, Batch *batch)
{
	const Pipeline *pipeline = judge->pipeline;

	set_verdict(judge, batch, pipeline->stop_on_error ?
				" at a record that cannot be applied" :
				psprintf(": more than %d records of a batch cannot be applied",
						 pipeline->max_errors));
	batch_truncate(batch, pipeline->stop_on_error ?
				   bms_next_member(batch->rejected, -1) : 0);
}

/* Log once that most records are rejected, and once that this is over. */
static void
note_rejecting(PipelineJudge *judge, int64 records, int64 rejected)
{
	bool		rejecting = records >= REJECTING_RECORDS &&
		rejected * 2 > records;

	if (rejecting && !judge->rejecting)
		ereport(WARNING,
				(errmsg("pipeline \"%s\" is rejecting: " INT64_FORMAT " of its last " INT64_FORMAT " records became dead letters",
						judge->pipeline->name, rejected, records),
				 errhint("Their reasons are in tracking.dead_letter. Compare the columns and options of the source with what the records hold.")));
	if (!rejecting && judge->rejecting)
		ereport(LOG,
				(errmsg("pipeline \"%s\" is no longer rejecting most records",
						judge->pipeline->name)));
	judge->rejecting = rejecting;
}

/*
 * The recent records are those of all workers of the pipeline.  A batch can
 * only raise their share of rejects above a limit if its own share is above
 * it: else the query is left out.
 */
void
pipeline_judge_batch(PipelineJudge *judge, const Batch *batch)
{
	const Pipeline *pipeline = judge->pipeline;
	double		ratio = pipeline->max_error_ratio;
	int64		records;
	int64		rejected;

	if (!judge->rejecting && list_length(batch->rejects) <=
		Min(ratio, REJECTING_RATIO) * batch->n_records)
		return;
	checkpoint_recent(pipeline->name, pipeline->generation, &records,
					  &rejected);
	note_rejecting(judge, records, rejected);
	if (batch->rejects != NIL && records >= MIN_RATIO_RECORDS &&
		rejected > ratio * records)
		set_verdict(judge, batch,
					psprintf(": " INT64_FORMAT " of its last " INT64_FORMAT " records cannot be applied",
							 rejected, records));
}
