/*
 * stream_reach.c
 *	  Which shards the service does not answer for (lost shards), and which
 *	  are at their tips.
 *
 * These functions make no calls and store nothing in the database: they keep
 * account in memory, and tell the caller.
 */
#include "postgres.h"

#include "base/clock.h"
#include "stream/stream_private.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/*
 * A shard is lost if the service has not answered for it for so long.  The
 * status that users see is to be right after ten seconds.
 */
#define LOST_MS 5000
/*
 * Time that the caller spends between two waits for a batch does not count as
 * the service's, if it is longer than this.
 */
#define AWAY_MS 1000

void
stream_reach_init(StreamReader *reader)
{
	dlist_init(&reader->asked);
	dlist_init(&reader->lost);
	dlist_init(&reader->resting);
}

/* A clock that stands still while the caller does not wait for a batch. */
static int64
waited_ms(const StreamReader *reader)
{
	return clock_now_ms() - reader->away_ms;
}

void
stream_reach_enter(StreamReader *reader)
{
	int64		away_ms = clock_now_ms() - reader->left_ms;

	if (reader->left_ms != 0 && away_ms > AWAY_MS)
		reader->away_ms += away_ms;
}

/* ----------------------------------------------------------------
 * Lost shards
 * ---------------------------------------------------------------- */

/* Is the shard in a batch that was handed out and not released yet? */
static bool
is_in_flight(const StreamReader *reader, const ReaderShard *shard)
{
	return shard->batch_no > reader->released_no;
}

TimestampTz
stream_tip_applied(const StreamReader *reader, const ReaderShard *shard)
{
	return is_in_flight(reader, shard) ? shard->applied_tip :
		shard->handed_tip;
}

static void
leave_reach(StreamReader *reader, ReaderShard *shard)
{
	if (shard->reach != REACH_WELL)
		dlist_delete(&shard->reach_node);
	if (shard->reach == REACH_LOST)
		reader->n_lost--;
	shard->reach = REACH_WELL;
}

static void
enter_lost(StreamReader *reader, ReaderShard *shard)
{
	leave_reach(reader, shard);
	shard->reach = REACH_LOST;
	dlist_push_tail(&reader->lost, &shard->reach_node);
	reader->n_lost++;
	reader->lost_changed = true;
	stream_tip_leave(reader, shard);
}

void
stream_reach_asked(StreamReader *reader, ReaderShard *shard)
{
	if (shard->reach != REACH_WELL)
		return;
	shard->reach = REACH_ASKED;
	shard->asked_ms = waited_ms(reader);
	shard->asked_at = GetCurrentTimestamp();
	dlist_push_tail(&reader->asked, &shard->reach_node);
}

/*
 * The detail of an error, without the count of attempts: a lost shard is asked
 * again and again, so that the count would soon be another.
 */
static char *
lasting_detail(const AwsError *error)
{
	AwsError	lasting = *error;

	lasting.attempts = 0;
	return aws_error_detail(&lasting);
}

/* Note the error by which a shard is lost; NULL: no answer has come. */
static void
note_why(StreamReader *reader, ReaderShard *shard, const AwsError *error)
{
	MemoryContext old = MemoryContextSwitchTo(reader->cxt);

	if (shard->why.reason != NULL)
		pfree(unconstify(char *, shard->why.reason));
	shard->why.reason = error == NULL ? pstrdup("No answer has come.") :
		lasting_detail(error);
	shard->why.sqlstate = error == NULL ? ERRCODE_CONNECTION_FAILURE :
		error->sqlstate;
	shard->why.hint = error == NULL ? NULL : error->hint;
	strlcpy(shard->why_code, error == NULL ? "" : error->code,
			sizeof(shard->why_code));
	reader->lost_changed = true;
	MemoryContextSwitchTo(old);
}

/*
 * The service answers for the shard.  True if the shard was lost; then a
 * listing that failed is tried again at once, too.
 */
static bool
answered(StreamReader *reader, ReaderShard *shard)
{
	bool		was_lost = shard->reach == REACH_LOST;

	leave_reach(reader, shard);
	if (!was_lost)
		return false;
	reader->lost_changed = true;
	if (reader->list_pace.trouble != NULL)
		reader->list_pace.due_ms = 0;
	return true;
}

bool
stream_reach_finished(StreamReader *reader, ReaderShard *shard)
{
	const AwsError *trouble = shard_reader_trouble(shard->reader);

	if (shard_reader_is_answered(shard->reader))
		return answered(reader, shard);
	if (shard->reach == REACH_LOST && trouble != NULL &&
		strncmp(trouble->code, shard->why_code,
				sizeof(shard->why_code) - 1) != 0)
		note_why(reader, shard, trouble);
	return false;
}

void
stream_reach_leave(StreamReader *reader)
{
	int64		now_ms = waited_ms(reader);
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &reader->asked)
	{
		ReaderShard *shard = dlist_container(ReaderShard, reach_node, iter.cur);
		const AwsError *trouble = shard_reader_trouble(shard->reader);

		if (now_ms - shard->asked_ms < LOST_MS)
			break;
		if (trouble == NULL && shard_reader_is_coming(shard->reader))
			continue;
		enter_lost(reader, shard);
		shard->why.since = shard->asked_at;
		note_why(reader, shard, trouble);
	}
	reader->left_ms = clock_now_ms();
}

bool
stream_reader_lost_changed(StreamReader *reader)
{
	bool		changed = reader->lost_changed;

	reader->lost_changed = false;
	return changed;
}

List *
stream_reader_lost(const StreamReader *reader)
{
	List	   *all = NIL;
	dlist_iter	iter;

	dlist_foreach(iter, unconstify(dlist_head *, &reader->lost))
	{
		ReaderShard *shard = dlist_container(ReaderShard, reach_node, iter.cur);

		shard->why.shard_id = shard->shard.shard_id;
		shard->why.tip_at = stream_tip_applied(reader, shard);
		all = lappend(all, &shard->why);
	}
	return all;
}

/* ----------------------------------------------------------------
 * Shards at their tips
 * ---------------------------------------------------------------- */

void
stream_tip_leave(StreamReader *reader, ReaderShard *shard)
{
	if (shard->rests)
		dlist_delete(&shard->rest_node);
	shard->rests = false;
	if (shard->is_unsure)
		reader->n_unsure--;
	shard->is_unsure = false;
}

void
stream_tip_look(StreamReader *reader, ReaderShard *shard)
{
	if (!shard_reader_is_answered(shard->reader))
		return;
	stream_tip_leave(reader, shard);
	if (shard->n_pages > 0 || is_in_flight(reader, shard) ||
		!shard_reader_at_tip(shard->reader) || shard_reader_ended(shard->reader))
		return;
	shard->rests = true;
	shard->handed_tip = shard_reader_tip_at(shard->reader);
	dlist_push_tail(&reader->resting, &shard->rest_node);
}

/* The first of the resting shards was seen at its tip the longest ago. */
TimestampTz
stream_reader_tip(const StreamReader *reader)
{
	dlist_head *resting = unconstify(dlist_head *, &reader->resting);

	if (reader->n_unsure > 0 || dlist_is_empty(resting))
		return 0;
	return dlist_head_element(ReaderShard, rest_node, resting)->handed_tip;
}

void
stream_reader_recall(StreamReader *reader, const char *shard_id,
					 const StreamRecall *recall)
{
	ReaderShard *shard = stream_find_shard(reader, shard_id);

	if (shard == NULL || shard->is_recalled)
		return;
	shard->is_recalled = true;
	shard->handed_tip = recall->tip_at;
	shard->late_since = recall->late_since;
	if (recall->at_tip)
		shard->handed_behind = 0;
	if (shard_reader_state(shard->reader) == SHARD_DONE)
		return;
	if (recall->lost_since != 0)
	{
		enter_lost(reader, shard);
		shard->why.since = recall->lost_since;
		shard->why.sqlstate = ERRCODE_CONNECTION_FAILURE;
		shard->why.reason = MemoryContextStrdup(reader->cxt,
												recall->lost_reason);
	}
	else if (recall->at_tip)
	{
		shard->is_unsure = true;
		reader->n_unsure++;
	}
}
