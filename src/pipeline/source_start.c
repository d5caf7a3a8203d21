/*
 * source_start.c
 *	  Where a stream is begun; see source_start.h.
 */
#include "postgres.h"

#include "access/table.h"
#include "config/config.h"
#include "pipeline/source_start.h"
#include "stream/stream_clock.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/*
 * Clocks do not differ by more than this: for a time further from now the
 * stream need not be asked for its clock.
 */
#define NEAR_US USECS_PER_DAY

/*
 * A time no further ahead than this, by the later of both clocks, counts as
 * "now".
 */
#define AHEAD_US USECS_PER_MINUTE

static void
ask_error_callback(void *arg)
{
	errcontext("asking the stream for its clock, as the pipeline is to start at \"%s\"",
			   (const char *) arg);
}

/* The current time by the source's clock, asked as the pipeline's owner. */
static TimestampTz
source_now(const Pipeline *pipeline)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "tracking_fdw clock",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	Relation	relation = table_open(pipeline->source, AccessShareLock);
	StreamTable *table = config_stream_table(relation);
	KinesisStream stream;
	TimestampTz now;

	config_open_stream(cxt, table, pipeline->owner, &stream);
	now = stream_clock_now(&stream, table->shard);
	table_close(relation, AccessShareLock);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
	return now;
}

static TimestampTz
ask_source(const Pipeline *pipeline, const char *start_at)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = ask_error_callback,
		.arg = unconstify(char *, start_at)
	};
	TimestampTz now;

	error_context_stack = &callback;
	now = source_now(pipeline);
	error_context_stack = callback.previous;
	return now;
}

pg_noreturn static void
refuse(const char *start_at)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot start at \"%s\", which is in the future", start_at),
			 errhint("Use \"latest\" for the next new record.")));
}

void
source_start_settle(const Pipeline *pipeline, const char *start_at,
					StreamPosition *position)
{
	TimestampTz here = GetCurrentTimestamp();
	TimestampTz now;

	if (position->kind != POSITION_LATEST &&
		(position->kind != POSITION_AT_TIMESTAMP ||
		 position->timestamp < here - NEAR_US))
		return;
	if (position->kind == POSITION_AT_TIMESTAMP &&
		position->timestamp > here + NEAR_US)
		refuse(start_at);

	now = ask_source(pipeline, start_at);
	if (position->kind == POSITION_AT_TIMESTAMP)
	{
		if (position->timestamp > Max(now, here) + AHEAD_US)
			refuse(start_at);
		now = Min(now, position->timestamp);
	}
	position->kind = POSITION_AT_TIMESTAMP;
	position->timestamp = now;
}
