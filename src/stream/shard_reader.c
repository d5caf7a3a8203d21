/*
 * shard_reader.c
 *	  Reading one shard; see shard_reader.h.
 */
#include "postgres.h"

#include "base/clock.h"
#include "stream/shard_pace.h"
#include "stream/shard_reader.h"
#include "stream/shard_tip.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* The size that we expect of the first answer. */
#define EXPECTED_BYTES_AT_FIRST (1024 * 1024)

struct ShardReader
{
	MemoryContext cxt;
	const KinesisStream *stream;
	const KinesisShard *shard;
	ReadUntil	until;
	ShardState	state;
	StreamPosition next;		/* after the last record that came */
	char	   *iterator;		/* in states READY and RECORDS_CALL */
	AwsCall    *call;			/* in the _CALL states */
	ShardPace	pace;
	ShardTip	tip;

	/* gaps */
	int64		retention_us;	/* how long the stream keeps records; 0: do
								 * not look for gaps */
	TimestampTz read_until;		/* all records that had arrived by then have
								 * come; 0: unknown */
	TimestampTz asked_at;		/* when the last GetRecords was made */
	int64		asked_ms;		/* the same by the monotonic clock */
	bool		from_horizon;	/* the reader goes from the trim horizon to
								 * next, which may lie on either side of it */
	bool		reaches_back;	/* ... and the trim horizon is before next:
								 * nothing was dropped */
	StreamGap  *gap;			/* not taken yet, or NULL */

	int			max_limit;		/* of records an answer; lowered when an
								 * answer was too large */
	int			limit;			/* of the last GetRecords */
	bool		at_tip;			/* the last answer said so */
	bool		is_answered;	/* the last call to finish brought a page */
	TimestampTz tip_at;			/* a time at which next was the tip, or 0 */
	int64		millis_behind;	/* by the last answer; -1: unknown */
	size_t		expected_bytes; /* size of the last answer */
};

ShardReader *
shard_reader_open(MemoryContext cxt, const KinesisStream *stream,
				  const KinesisShard *shard, const StreamPosition *from,
				  TimestampTz read_until, int64 retention_us,
				  ReadUntil until)
{
	ShardReader *reader = MemoryContextAllocZero(cxt, sizeof(ShardReader));

	reader->cxt = cxt;
	reader->stream = stream;
	reader->shard = shard;
	reader->until = until;
	reader->next = *from;
	reader->state = from->kind == POSITION_SHARD_END ? SHARD_DONE : SHARD_WAITING;
	shard_pace_init(&reader->pace, cxt);
	shard_pace_of(&reader->pace, stream, shard->shard_id,
				  until == READ_FOREVER ? CLAIM_WORKER : CLAIM_SCAN);
	/* a closed shard has no tip that moves */
	shard_tip_init(&reader->tip, cxt, stream, shard, &reader->pace, reader,
				   until == READ_TO_TIP &&
				   shard->ending_sequence_number == NULL);
	reader->read_until = read_until;
	reader->retention_us = retention_us;
	reader->max_limit = KINESIS_GET_RECORDS_LIMIT;
	reader->millis_behind = -1;
	reader->expected_bytes = EXPECTED_BYTES_AT_FIRST;
	return reader;
}

const KinesisShard *
shard_reader_shard(const ShardReader *reader)
{
	return reader->shard;
}

ShardState
shard_reader_state(const ShardReader *reader)
{
	return reader->state;
}

bool
shard_reader_ended(const ShardReader *reader)
{
	return reader->next.kind == POSITION_SHARD_END;
}

const AwsError *
shard_reader_trouble(const ShardReader *reader)
{
	return reader->pace.trouble;
}

bool
shard_reader_at_tip(const ShardReader *reader)
{
	return reader->at_tip;
}

bool
shard_reader_is_answered(const ShardReader *reader)
{
	return reader->is_answered;
}

bool
shard_reader_is_coming(const ShardReader *reader)
{
	return reader->call != NULL && aws_call_is_coming(reader->call);
}

TimestampTz
shard_reader_tip_at(const ShardReader *reader)
{
	return reader->tip_at;
}

int64
shard_reader_millis_behind(const ShardReader *reader)
{
	return reader->millis_behind;
}

TimestampTz
shard_reader_read_until(const ShardReader *reader)
{
	return reader->read_until;
}

StreamGap *
shard_reader_take_gap(ShardReader *reader)
{
	StreamGap  *gap = reader->gap;

	reader->gap = NULL;
	return gap;
}

size_t
shard_reader_expected_bytes(const ShardReader *reader)
{
	return reader->expected_bytes;
}

void
shard_reader_release(ShardReader *reader)
{
	Assert(reader->state == SHARD_WAITING);
	reader->state = SHARD_NO_ITERATOR;
}

void
shard_reader_postpone(ShardReader *reader, int64 due_ms)
{
	reader->pace.due_ms = due_ms;
}

void
shard_reader_hurry(ShardReader *reader, int64 latest_ms)
{
	reader->pace.due_ms = Min(reader->pace.due_ms, latest_ms);
}

long
shard_reader_due(const ShardReader *reader, int64 now_ms)
{
	switch (reader->state)
	{
		case SHARD_NO_ITERATOR:
			return shard_pace_wait(&reader->pace, SHARD_CALL_ITERATOR,
								   now_ms);
		case SHARD_READY:
			return shard_pace_wait(&reader->pace, SHARD_CALL_RECORDS, now_ms);
		default:
			return -1;
	}
}

/* ----------------------------------------------------------------
 * Calls
 * ---------------------------------------------------------------- */

static void
start_iterator(ShardReader *reader)
{
	KinesisIteratorStart start = {.type = KINESIS_TRIM_HORIZON};

	switch (reader->next.kind)
	{
		case POSITION_TRIM_HORIZON:
			break;
		case POSITION_LATEST:
			start.type = KINESIS_LATEST;
			break;
		case POSITION_AT_TIMESTAMP:
			start.type = KINESIS_AT_TIMESTAMP;
			start.timestamp = reader->next.timestamp;
			break;
		case POSITION_AFTER_SEQUENCE:
			/* to get the rest of an aggregate we must read all of it again */
			start.type = reader->next.sub_sequence >= 0 ?
				KINESIS_AT_SEQUENCE_NUMBER : KINESIS_AFTER_SEQUENCE_NUMBER;
			start.sequence_number = reader->next.sequence;
			break;
		case POSITION_SHARD_END:
			Assert(false);
	}
	if (reader->from_horizon)
		start.type = KINESIS_TRIM_HORIZON;
	reader->call = kinesis_get_shard_iterator_begin(reader->stream,
													reader->shard->shard_id,
													&start, reader);
	reader->state = SHARD_ITERATOR_CALL;
}

/* May the stream have dropped records that are not read yet, by their age? */
static bool
comes_too_late(const ShardReader *reader, TimestampTz now)
{
	return reader->retention_us > 0 && reader->read_until != 0 &&
		now - reader->read_until > reader->retention_us;
}

void
shard_reader_start(ShardReader *reader, int64 now_ms)
{
	TimestampTz now = GetCurrentTimestamp();

	shard_tip_start(&reader->tip, now_ms);
	if (!reader->from_horizon && comes_too_late(reader, now))
	{
		reader->from_horizon = true;
		reader->state = SHARD_NO_ITERATOR;
	}
	if (reader->state == SHARD_NO_ITERATOR)
	{
		if (shard_pace_take(&reader->pace, SHARD_CALL_ITERATOR, now_ms))
			start_iterator(reader);
		return;
	}

	Assert(reader->state == SHARD_READY);
	if (!shard_pace_take(&reader->pace, SHARD_CALL_RECORDS, now_ms))
		return;
	reader->asked_at = now;
	reader->asked_ms = now_ms;
	reader->limit = reader->max_limit;
	reader->call = kinesis_get_records_begin(reader->stream, reader->iterator,
											 reader->limit, reader);
	reader->state = SHARD_RECORDS_CALL;
	reader->tip.fresh = false;
}

/* What the reader was doing, for an error message. */
static char *
reading(const ShardReader *reader)
{
	return psprintf("read shard \"%s\" of stream \"%s\"",
					reader->shard->shard_id, reader->stream->name);
}

/*
 * A call failed.  If the fault may pass, this shard waits before the next
 * call, and no other; a reader with READ_FOREVER never gives up.  Any other
 * fault is raised as an error.
 */
static void
back_off(ShardReader *reader, const AwsError *error)
{
	if (error->class != AWS_ERROR_THROTTLE && error->class != AWS_ERROR_RETRY)
		aws_error_raise(error, reading(reader));
	shard_pace_failed(&reader->pace, clock_now_ms(), error);
	if (reader->until == READ_TO_TIP && reader->pace.failures >
		aws_client_max_retries(reader->stream->aws))
		aws_error_raise(reader->pace.trouble, reading(reader));
}

static void
keep_iterator(ShardReader *reader, const char *fresh)
{
	if (reader->iterator != NULL)
		pfree(reader->iterator);
	reader->iterator = fresh == NULL ? NULL :
		MemoryContextStrdup(reader->cxt, fresh);
}

/*
 * Did GetShardIterator fail because the service does not know the sequence
 * number of our position?  It may not if it has dropped that record.
 */
static bool
is_lost_position(const ShardReader *reader, const AwsError *error)
{
	return reader->state == SHARD_ITERATOR_CALL && reader->retention_us > 0 &&
		!reader->from_horizon && reader->next.kind == POSITION_AFTER_SEQUENCE &&
		(error->class == AWS_ERROR_NOT_FOUND ||
		 strcmp(error->code, "InvalidArgumentException") == 0);
}

static void
finish_failed_call(ShardReader *reader, const AwsError *error)
{
	bool		lost = is_lost_position(reader, error);

	reader->state = reader->state == SHARD_ITERATOR_CALL ?
		SHARD_NO_ITERATOR : SHARD_READY;
	if (lost)
		reader->from_horizon = true;
	else if (error->class == AWS_ERROR_EXPIRED_ITERATOR)
	{
		keep_iterator(reader, NULL);
		reader->state = SHARD_NO_ITERATOR;
	}
	else if (error->class == AWS_ERROR_TOO_LARGE && reader->limit > 1)
	{
		/* servers other than Kinesis itself do not stop at 10 MiB */
		reader->max_limit = Max(1, reader->limit / 4);
	}
	else
		back_off(reader, error);
}

/* ----------------------------------------------------------------
 * Answers
 * ---------------------------------------------------------------- */

/* Is this record before the position? */
static bool
is_read(const ShardReader *reader, const KinesisRecord *record)
{
	int			order;

	if (reader->next.kind == POSITION_AT_TIMESTAMP)
		return record->arrived < reader->next.timestamp;
	if (reader->next.kind != POSITION_AFTER_SEQUENCE)
		return false;
	order = sequence_compare(record->sequence_number,
							 record->sequence_number_digits,
							 reader->next.sequence,
							 strlen(reader->next.sequence));
	return order < 0 || (order == 0 && reader->next.sub_sequence < 0);
}

/*
 * Does the oldest record that the stream has show that it has dropped nothing
 * unread?  It does if it was read.  We judge by its sequence number, as the
 * stream's clock and ours may differ; only if the position is TRIM_HORIZON,
 * which has no number, by its time of arrival.
 */
static bool
is_behind(const ShardReader *reader, const KinesisRecord *oldest)
{
	return reader->next.kind == POSITION_TRIM_HORIZON ?
		oldest->arrived <= reader->read_until : is_read(reader, oldest);
}

static void
set_gap(ShardReader *reader, const KinesisPage *page)
{
	StreamGap  *gap = MemoryContextAllocZero(reader->cxt, sizeof(StreamGap));

	gap->shard_id = reader->shard->shard_id;
	gap->from = reader->next;
	gap->to = reader->next;
	if (page->first < page->n_records)
		position_after_record(&gap->to, &page->records[page->first]);
	gap->from_time = reader->read_until;
	gap->to_time = Max(reader->asked_at - reader->retention_us,
					   reader->read_until);
	reader->gap = gap;
}

/*
 * Take a page on the way from the trim horizon to the position: leave out the
 * records that are read.  When the first new record comes, or the shard has no
 * more (at_end), the way ends: set the gap, if there is one.
 */
static void
follow_horizon(ShardReader *reader, KinesisPage *page, bool at_end)
{
	const KinesisRecord *oldest = page->records;

	if (page->n_records > 0 && is_behind(reader, oldest))
	{
		reader->reaches_back = true;

		/*
		 * the stream keeps records longer than it says: expect that from now
		 * on
		 */
		reader->retention_us = Max(reader->retention_us,
								   reader->asked_at - oldest->arrived);
	}
	while (page->first < page->n_records &&
		   is_read(reader, &page->records[page->first]))
		page->first++;
	if (page->first == page->n_records && !at_end)
		return;

	if (!reader->reaches_back)
		set_gap(reader, page);
	reader->from_horizon = false;
	reader->reaches_back = false;
}

static void
finish_shard(ShardReader *reader)
{
	reader->state = SHARD_DONE;
	shard_tip_forget(&reader->tip);
}

/*
 * Count the records of a page, leave out the sub-records that were read
 * before, and move the position after the page.
 */
static void
take_page(ShardReader *reader, KinesisPage *page)
{
	const KinesisRecord *first = &page->records[page->first];

	kinesis_page_count(page, reader->stream->unpack);
	if (page->n_left == 0)
		return;
	kinesis_page_skip_subs(page, position_subs_done(&reader->next, first));
	position_after_record(&reader->next, &page->records[page->n_records - 1]);
}

/* Take a page: note what it says of the shard, and set the next state. */
static void
follow_page(ShardReader *reader, KinesisPage *page)
{
	bool		full = page->n_records >= reader->limit;
	bool		closed = page->next_iterator == NULL;
	bool		beyond = shard_tip_cut(&reader->tip, page);

	/*
	 * MillisBehindLatest of 0, and not full: the shard has no more records. A
	 * full answer may not be the last one, even with 0 (kinesalite always
	 * says 0), and an empty answer may come before the tip is reached.
	 */
	shard_tip_approach(&reader->tip, page, reader->asked_ms);
	reader->at_tip = closed || (page->millis_behind_latest <= 0 && !full);
	reader->millis_behind = page->millis_behind_latest > 0 ?
		page->millis_behind_latest : reader->at_tip ? 0 : -1;
	if (reader->millis_behind >= 0)
		reader->tip_at = reader->asked_at - reader->millis_behind * 1000;

	/* raise a lowered limit again once answers are small */
	if (page->bytes < KINESIS_GET_RECORDS_BYTES / 8)
		reader->max_limit = Min(reader->max_limit * 2,
								KINESIS_GET_RECORDS_LIMIT);
	reader->expected_bytes = page->bytes;

	if (reader->from_horizon)
		follow_horizon(reader, page, reader->at_tip || beyond);
	if (reader->at_tip || page->millis_behind_latest > 0)
		reader->read_until = Max(reader->read_until, reader->asked_at -
								 Max(page->millis_behind_latest, 0) * 1000);
	take_page(reader, page);
	keep_iterator(reader, page->next_iterator);

	if (closed)
	{
		reader->next.kind = POSITION_SHARD_END;
		finish_shard(reader);
	}
	else if (reader->until == READ_TO_TIP &&
			 (beyond || reader->at_tip || shard_tip_is_passed(&reader->tip)))
		finish_shard(reader);
	else
		reader->state = SHARD_READY;
}

static KinesisPage *
finish_records(ShardReader *reader, AwsCall *call)
{
	AwsError	nonsense;
	KinesisPage *page = kinesis_get_records_try(call, &nonsense);

	if (page == NULL)
	{
		finish_failed_call(reader, &nonsense);
		return NULL;
	}
	/* the service counts the payload, of which base64 makes 4 bytes of 3 */
	shard_pace_answered(&reader->pace, clock_now_ms(), page->bytes / 4 * 3);
	reader->is_answered = true;
	follow_page(reader, page);
	if (page->n_left > 0 || page->child_shards != NIL)
		return page;
	kinesis_page_free(page);
	return NULL;
}

static void
finish_iterator(ShardReader *reader, AwsCall *call)
{
	AwsError	nonsense;
	char	   *iterator = kinesis_get_shard_iterator_end(call, &nonsense);

	if (iterator == NULL)
	{
		finish_failed_call(reader, &nonsense);
		return;
	}
	keep_iterator(reader, iterator);
	pfree(iterator);
	reader->state = SHARD_READY;
}

KinesisPage *
shard_reader_finish(ShardReader *reader, AwsCall *call)
{
	const AwsError *error = aws_call_error(call);

	if (call == reader->tip.call)
	{
		AwsError	failure;

		if (!shard_tip_finish(&reader->tip, clock_now_ms(), &failure))
			back_off(reader, &failure);
		return NULL;
	}

	Assert(call == reader->call);
	reader->call = NULL;
	reader->is_answered = false;
	if (error != NULL)
	{
		finish_failed_call(reader, error);
		aws_call_close(call);
	}
	else if (reader->state == SHARD_ITERATOR_CALL)
		finish_iterator(reader, call);
	else
		return finish_records(reader, call);
	return NULL;
}
