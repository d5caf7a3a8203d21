/*
 * replay.c
 *	  tracking.replay_dead_letters(): runs the command over dead letters again.
 *
 * The records are put into a batch as if they had just been read.  Those that
 * the command succeeds with now are deleted in the same transaction; the
 * others stay dead letters.
 */
#include "postgres.h"

#include "base/compat.h"
#include "function/pipeline_sql.h"
#include "function/replay_filter.h"
#include "ledger/dead_letter.h"
#include "pipeline/pipeline_apply.h"
#include "pipeline/pipeline_home.h"
#include "pipeline/pipeline_sink.h"
#include "pipeline/source_kind.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(tracking_replay_dead_letters);

/* A command that replays its own rejects would call itself without end. */
static void
check_not_running(const Pipeline *pipeline)
{
	if (pipeline_sink_is_writing(pipeline))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("cannot replay the dead letters of pipeline \"%s\" while its command runs",
						pipeline->name),
				 errhint("Replay them from outside the command.")));
}

Datum
tracking_replay_dead_letters(PG_FUNCTION_ARGS)
{
	MemoryContext cxt = CurrentMemoryContext;
	Pipeline   *pipeline;
	PipelineSink *sink;
	DeadLetters letters;
	int64		n;
	Datum		ids;

	pipeline_sql_not_null(fcinfo, 0, "pipeline");
	pipeline = pipeline_sql_get(PG_GETARG_DATUM(0));
	pipeline_home_check(pipeline);
	check_not_running(pipeline);
	source_kind_check_access(pipeline);
	ids = replay_filter_pick(pipeline->name, PG_ARGISNULL(1) ? NULL :
							 text_to_cstring(PG_GETARG_TEXT_PP(1)));
	dead_letter_load(cxt, pipeline->name, ids, &letters);

	/* records that fail again stay dead letters, however many there are */
	pipeline->stop_on_error = false;
	pipeline->max_errors = -1;
	sink = pipeline_sink_open(cxt, pipeline);
	if (source_kind_of(pipeline)->recall != NULL)
		source_kind_of(pipeline)->recall(pipeline, letters.batch);
	pipeline_apply_scattered(sink, letters.batch);
	pipeline_sink_claim(sink);
	dead_letter_settle(&letters);
	pipeline_apply_publish(sink);

	n = letters.batch->n_records - list_length(letters.batch->rejects);
	batch_free(letters.batch);
	PG_RETURN_INT64(n);
}
