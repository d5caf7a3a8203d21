/*
 * source_stream_reach.c
 *	  Which part of a pipeline's stream cannot be read, and why.
 */
#include "postgres.h"

#include "base/clock.h"
#include "pipeline/source_stream.h"
#include "utils/timestamp.h"

/* After so many failed listings in a row the failure is reported. */
#define LISTING_ATTEMPTS 3

/* Has the stream been asked to describe itself, and not answered for long? */
static bool
is_silent(const StreamSource *source)
{
	return !source->begun && source->describe_ms != 0 &&
		clock_now_ms() - source->describe_ms >= SOURCE_SILENT_MS;
}

/* Have several listings in a row failed? */
static bool
is_listing_failing(const StreamSource *source)
{
	const AwsError *trouble = stream_reader_listing_trouble(source->reader);

	return trouble != NULL && trouble->attempts >= LISTING_ATTEMPTS;
}

bool
source_stream_reach_changed(PipelineSource *base)
{
	StreamSource *source = (StreamSource *) base;
	bool		silent = is_silent(source);
	bool		listing_failed = is_listing_failing(source);
	bool		changed = stream_reader_lost_changed(source->reader) ||
		silent != source->silent ||
		listing_failed != source->listing_failed;

	source->silent = silent;
	source->listing_failed = listing_failed;
	return changed;
}

static void
set_error(SourceReach *reach, const char *message, const AwsError *error)
{
	reach->has_trouble = true;
	reach->error.sqlerrcode = error == NULL ? ERRCODE_CONNECTION_FAILURE :
		error->sqlstate;
	reach->error.message = unconstify(char *, message);
	reach->error.detail = error == NULL ? pstrdup("No answer has come.") :
		aws_error_detail(error);
	reach->error.hint = error == NULL ? NULL : unconstify(char *, error->hint);
}

static void
set_lost_error(SourceReach *reach)
{
	const StreamLost *first = linitial(reach->lost);
	int			n = list_length(reach->lost);

	reach->has_trouble = true;
	reach->since = first->since;
	reach->error.sqlerrcode = first->sqlstate;
	reach->error.message = n == 1 ?
		psprintf("could not read shard \"%s\"", first->shard_id) :
		psprintf("could not read %d shards, shard \"%s\" among them",
				 n, first->shard_id);
	reach->error.detail = unconstify(char *, first->reason);
	reach->error.hint = unconstify(char *, first->hint);
}

/* The other shards are read on while one cannot be read. */
void
source_stream_reach(const PipelineSource *base, SourceReach *reach)
{
	const StreamSource *source = (const StreamSource *) base;

	reach->lost = stream_reader_lost(source->reader);
	reach->since = source->silent ? source->describe_at :
		GetCurrentTimestamp();
	reach->is_whole = source->silent;
	if (source->silent)
		set_error(reach, psprintf("could not describe stream \"%s\"",
								  source->stream.name),
				  source->describe_pace.trouble);
	else if (reach->lost != NIL)
		set_lost_error(reach);
	else if (source->listing_failed)
		set_error(reach, "could not look for new shards",
				  stream_reader_listing_trouble(source->reader));
}
