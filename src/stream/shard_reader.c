/*
 * shard_reader.c
 *	  One shard's reader; see shard_reader.h.
 */
#include "postgres.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/compat.h"
#include "stream/shard_reader.h"
#include "utils/memutils.h"

/* Between attempts at a call, with full jitter, doubled by each of them. */
#define RETRY_BASE_MS 100
#define RETRY_CAP_MS 20000
/* When the service throttles.  A shard's allowance is counted by the second. */
#define THROTTLE_BASE_MS 1000

/* Until an answer has come, expect one of this size. */
#define EXPECTED_BYTES_AT_FIRST (1024 * 1024)

/* Where the tip was, for a reader that goes to it. */
typedef struct ShardTip
{
	bool		wanted;			/* still to be found */
	bool		known;			/* sequence holds the first record beyond it */
	char	   *iterator;		/* NULL: none yet, or it expired */
	AwsCall    *call;			/* under way, or NULL */
	char		sequence[KINESIS_SEQUENCE_DIGITS];
	uint8		digits;
} ShardTip;

struct ShardReader
{
	MemoryContext cxt;
	const KinesisStream *stream;
	const KinesisShard *shard;
	ReadUntil	until;
	ShardState	state;
	StreamPosition next;		/* behind the last record that came */
	char	   *iterator;		/* in state READY */
	AwsCall    *call;			/* in the _CALL states */
	ShardTip	tip;

	/* pace: GetRecords calls that may start at once, and since when */
	int			tokens;
	int64		tokens_ms;
	int64		due_ms;			/* not before */

	/* failures in a row, and the last of them */
	int			failures;
	AwsError   *trouble;		/* in cxt; NULL if all is well */

	int			max_limit;		/* lowered when an answer was too large */
	int			limit;			/* of the call under way */
	bool		at_tip;
	int64		millis_behind;
	size_t		expected_bytes;
};

ShardReader *
shard_reader_open(MemoryContext cxt, const KinesisStream *stream,
				  const KinesisShard *shard, const StreamPosition *from,
				  ReadUntil until)
{
	ShardReader *reader = MemoryContextAllocZero(cxt, sizeof(ShardReader));

	reader->cxt = cxt;
	reader->stream = stream;
	reader->shard = shard;
	reader->until = until;
	reader->next = *from;
	reader->state = from->kind == POSITION_SHARD_END ? SHARD_DONE : SHARD_WAITING;
	/* a closed shard has no tip that moves */
	reader->tip.wanted = until == READ_TO_TIP &&
		shard->ending_sequence_number == NULL;
	reader->tokens = KINESIS_GET_RECORDS_PER_SECOND;
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
	return reader->trouble;
}

bool
shard_reader_at_tip(const ShardReader *reader)
{
	return reader->at_tip;
}

int64
shard_reader_millis_behind(const ShardReader *reader)
{
	return reader->millis_behind;
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
	reader->due_ms = due_ms;
}

/* Milliseconds until the pace allows a GetRecords. */
static long
pace_wait(const ShardReader *reader, int64 now_ms)
{
	long		interval = 1000 / KINESIS_GET_RECORDS_PER_SECOND;

	if (reader->tokens > 0)
		return 0;
	return Max(0, (long) (reader->tokens_ms + interval - now_ms));
}

/* Take one call from the second's allowance. */
static void
pace_take(ShardReader *reader, int64 now_ms)
{
	int			interval = 1000 / KINESIS_GET_RECORDS_PER_SECOND;
	int64		earned = (now_ms - reader->tokens_ms) / interval;

	if (earned + reader->tokens >= KINESIS_GET_RECORDS_PER_SECOND)
	{
		reader->tokens = KINESIS_GET_RECORDS_PER_SECOND;
		reader->tokens_ms = now_ms;
	}
	else
	{
		reader->tokens += earned;
		reader->tokens_ms += earned * interval;
	}
	reader->tokens--;
}

long
shard_reader_due(const ShardReader *reader, int64 now_ms)
{
	long		wait = Max(0, (long) (reader->due_ms - now_ms));

	switch (reader->state)
	{
		case SHARD_NO_ITERATOR:
			return wait;
		case SHARD_READY:
			return Max(wait, pace_wait(reader, now_ms));
		default:
			return -1;
	}
}

static void
start_iterator(ShardReader *reader)
{
	KinesisIteratorStart start = {0};

	switch (reader->next.kind)
	{
		case POSITION_TRIM_HORIZON:
			start.type = KINESIS_TRIM_HORIZON;
			break;
		case POSITION_LATEST:
			start.type = KINESIS_LATEST;
			break;
		case POSITION_AT_TIMESTAMP:
			start.type = KINESIS_AT_TIMESTAMP;
			start.timestamp = reader->next.timestamp;
			break;
		case POSITION_AFTER_SEQUENCE:
			/* the rest of an aggregate is only to be had with all of it */
			start.type = reader->next.sub_sequence >= 0 ?
				KINESIS_AT_SEQUENCE_NUMBER : KINESIS_AFTER_SEQUENCE_NUMBER;
			start.sequence_number = reader->next.sequence;
			break;
		case POSITION_SHARD_END:
			Assert(false);
	}
	reader->call = kinesis_get_shard_iterator_begin(reader->stream,
													reader->shard->shard_id,
													&start, reader);
	reader->state = SHARD_ITERATOR_CALL;
}

/* Look for the tip, beside the shard's own call. */
static void
start_tip(ShardReader *reader, int64 now_ms)
{
	ShardTip   *tip = &reader->tip;
	KinesisIteratorStart latest = {.type = KINESIS_LATEST};

	if (!tip->wanted || tip->call != NULL)
		return;
	if (tip->iterator == NULL)
		tip->call = kinesis_get_shard_iterator_begin(reader->stream,
													 reader->shard->shard_id,
													 &latest, reader);
	else
	{
		pace_take(reader, now_ms);
		tip->call = kinesis_get_records_begin(reader->stream, tip->iterator, 1,
											  reader);
	}
}

void
shard_reader_start(ShardReader *reader, int64 now_ms, int limit)
{
	start_tip(reader, now_ms);
	if (reader->state == SHARD_NO_ITERATOR)
	{
		start_iterator(reader);
		return;
	}

	Assert(reader->state == SHARD_READY);
	pace_take(reader, now_ms);
	reader->limit = Min(limit, reader->max_limit);
	reader->call = kinesis_get_records_begin(reader->stream, reader->iterator,
											 reader->limit, reader);
	reader->state = SHARD_RECORDS_CALL;
}

static char *
reading(const ShardReader *reader)
{
	return psprintf("read shard \"%s\" of stream \"%s\"",
					reader->shard->shard_id, reader->stream->name);
}

static const char *
copy_text(MemoryContext cxt, const char *text)
{
	return text == NULL ? NULL : MemoryContextStrdup(cxt, text);
}

/* Remember what is wrong with the shard, until it is well again. */
static void
set_trouble(ShardReader *reader, const AwsError *error)
{
	if (reader->trouble == NULL)
		reader->trouble = MemoryContextAlloc(reader->cxt, sizeof(AwsError));
	else
	{
		pfree(unconstify(char *, reader->trouble->code));
		pfree(unconstify(char *, reader->trouble->message));
	}
	*reader->trouble = *error;
	reader->trouble->code = copy_text(reader->cxt, error->code);
	reader->trouble->message = copy_text(reader->cxt, error->message);
	reader->trouble->request_id = NULL;
	reader->trouble->attempts = reader->failures;
}

static void
clear_trouble(ShardReader *reader)
{
	if (reader->trouble != NULL)
	{
		pfree(unconstify(char *, reader->trouble->code));
		pfree(unconstify(char *, reader->trouble->message));
		pfree(reader->trouble);
	}
	reader->trouble = NULL;
	reader->failures = 0;
}

/*
 * A call failed.  A passing fault makes the shard wait, and only this shard;
 * a reader without end never gives up on it.  Anything else is raised.
 */
static void
back_off(ShardReader *reader, const AwsError *error)
{
	bool		throttled = error->class == AWS_ERROR_THROTTLE;
	long		delay_ms;

	if (!throttled && error->class != AWS_ERROR_RETRY)
		aws_error_raise(error, reading(reader));
	reader->failures++;
	set_trouble(reader, error);
	if (reader->until == READ_TO_TIP &&
		reader->failures > aws_client_max_retries(reader->stream->aws))
		aws_error_raise(reader->trouble, reading(reader));
	delay_ms = backoff_delay_ms(reader->failures - 1,
								throttled ? THROTTLE_BASE_MS : RETRY_BASE_MS,
								RETRY_CAP_MS, backoff_random());
	reader->due_ms = Max(reader->due_ms, clock_now_ms() + delay_ms);
}

/* Keep an iterator in the reader's context in place of the old one. */
static void
keep_iterator(ShardReader *reader, char **iterator, const char *fresh)
{
	if (*iterator != NULL)
		pfree(*iterator);
	*iterator = fresh == NULL ? NULL : MemoryContextStrdup(reader->cxt, fresh);
}

/* The answer to a question after the tip. */
static void
finish_tip(ShardReader *reader)
{
	ShardTip   *tip = &reader->tip;
	AwsCall    *call = tip->call;
	const AwsError *error = aws_call_error(call);
	KinesisPage *page;

	tip->call = NULL;
	if (error != NULL)
	{
		/* an expired tip is taken anew: later than it was, but one place */
		if (error->class == AWS_ERROR_EXPIRED_ITERATOR)
			keep_iterator(reader, &tip->iterator, NULL);
		else
			back_off(reader, error);
		aws_call_close(call);
		return;
	}
	if (tip->iterator == NULL)
	{
		char	   *iterator = kinesis_get_shard_iterator_end(call);

		keep_iterator(reader, &tip->iterator, iterator);
		pfree(iterator);
		start_tip(reader, clock_now_ms());
		return;
	}

	page = kinesis_get_records_end(call);
	if (page->n_records > 0)
	{
		const KinesisRecord *record = &page->records[0];

		memcpy(tip->sequence, record->sequence_number,
			   record->sequence_number_digits);
		tip->digits = record->sequence_number_digits;
		tip->known = true;
		tip->wanted = false;
	}
	else if (page->next_iterator == NULL)
		tip->wanted = false;	/* closed since: it ends by itself */
	else
		keep_iterator(reader, &tip->iterator, page->next_iterator);
	kinesis_page_free(page);
}

/* Cut off what lies beyond the tip; true if anything did. */
static bool
cut_at_tip(ShardReader *reader, KinesisPage *page)
{
	const ShardTip *tip = &reader->tip;
	int			low = 0;
	int			high = page->n_records;

	if (!tip->known)
		return false;
	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		const KinesisRecord *record = &page->records[middle];

		if (sequence_compare(record->sequence_number,
							 record->sequence_number_digits,
							 tip->sequence, tip->digits) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == page->n_records)
		return false;
	page->n_records = low;
	return true;
}

static void
finish_failed_call(ShardReader *reader, AwsCall *call, const AwsError *error)
{
	bool		asked_iterator = reader->state == SHARD_ITERATOR_CALL;

	reader->state = asked_iterator ? SHARD_NO_ITERATOR : SHARD_READY;
	if (error->class == AWS_ERROR_EXPIRED_ITERATOR)
	{
		keep_iterator(reader, &reader->iterator, NULL);
		reader->state = SHARD_NO_ITERATOR;
	}
	else if (error->class == AWS_ERROR_TOO_LARGE && reader->limit > 1)
	{
		/* servers other than Kinesis itself do not stop at 10 MiB */
		reader->max_limit = Max(1, reader->limit / 4);
	}
	else
		back_off(reader, error);
	aws_call_close(call);
}

static void
finish_shard(ShardReader *reader)
{
	reader->state = SHARD_DONE;
	reader->tip.wanted = false;
	if (reader->tip.call != NULL)
	{
		aws_call_close(reader->tip.call);
		reader->tip.call = NULL;
	}
}

/*
 * Unpack what a page holds, leave out what was done before the reader began,
 * and move behind the rest.
 */
static void
take_page(ShardReader *reader, KinesisPage *page)
{
	StreamPosition from = reader->next;

	if (page->n_records == 0)
		return;
	if (reader->stream->unpack)
		kinesis_page_unpack(page);
	position_after_record(&reader->next, &page->records[page->n_records - 1]);
	while (page->n_records > 0 && position_is_past(&from, page->records))
	{
		page->records++;
		page->n_records--;
	}
}

/* What a page says of the shard, and of the way on. */
static void
follow_page(ShardReader *reader, KinesisPage *page)
{
	bool		full = page->n_records >= reader->limit;
	bool		beyond = cut_at_tip(reader, page);

	/*
	 * Behind nothing and not full: there was no more.  A full answer may not
	 * be the last whatever it says of being behind (kinesalite always says
	 * 0), and an empty one may come while behind.
	 */
	reader->millis_behind = page->millis_behind_latest;
	reader->at_tip = page->millis_behind_latest == 0 && !full;

	/* a shrunken limit grows back once answers are small again */
	if (page->bytes < KINESIS_GET_RECORDS_BYTES / 8)
		reader->max_limit = Min(reader->max_limit * 2,
								KINESIS_GET_RECORDS_LIMIT);
	take_page(reader, page);
	reader->expected_bytes = page->bytes;
	keep_iterator(reader, &reader->iterator, page->next_iterator);

	if (page->next_iterator == NULL)
	{
		reader->next.kind = POSITION_SHARD_END;
		reader->at_tip = true;
		finish_shard(reader);
	}
	else if (reader->until == READ_TO_TIP && (beyond || reader->at_tip))
		finish_shard(reader);
	else
		reader->state = SHARD_READY;
}

/* Says of which shard an answer was that cannot be understood. */
static void
finish_error_callback(void *arg)
{
	const ShardReader *reader = arg;

	errcontext("shard \"%s\" of stream \"%s\"", reader->shard->shard_id,
			   reader->stream->name);
}

static KinesisPage *
finish_call(ShardReader *reader, AwsCall *call)
{
	const AwsError *error = aws_call_error(call);
	KinesisPage *page;

	if (call == reader->tip.call)
	{
		finish_tip(reader);
		return NULL;
	}

	Assert(call == reader->call);
	reader->call = NULL;
	if (error != NULL)
	{
		finish_failed_call(reader, call, error);
		return NULL;
	}
	if (reader->state == SHARD_ITERATOR_CALL)
	{
		char	   *iterator = kinesis_get_shard_iterator_end(call);

		keep_iterator(reader, &reader->iterator, iterator);
		pfree(iterator);
		reader->state = SHARD_READY;
		return NULL;
	}

	page = kinesis_get_records_end(call);
	clear_trouble(reader);
	follow_page(reader, page);
	if (page->n_records > 0)
		return page;
	kinesis_page_free(page);
	return NULL;
}

KinesisPage *
shard_reader_finish(ShardReader *reader, AwsCall *call)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = finish_error_callback,
		.arg = reader
	};
	KinesisPage *page;

	error_context_stack = &callback;
	page = finish_call(reader, call);
	error_context_stack = callback.previous;
	return page;
}
