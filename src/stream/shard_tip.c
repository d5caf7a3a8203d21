/*
 * shard_tip.c
 *	  Finding a shard's tip; see shard_tip.h.
 */
#include "postgres.h"

#include "base/clock.h"
#include "stream/position.h"
#include "stream/shard_tip.h"
#include "utils/memutils.h"

/*
 * We look so often however far behind the reader is by its answers, which also
 * renews the iterator before it expires.
 */
#define LOOK_MS 10000

/*
 * After so many answers in a row that came no nearer to the tip we doubt their
 * MillisBehindLatest: ten seconds of a shard's allowance.
 */
#define DOUBT_ANSWERS 50

/* ... and after so many we give up: a minute of a shard's allowance */
#define STANDING_ANSWERS 300

/* By how much MillisBehindLatest may be wrong */
#define PLACE_MARGIN_MS 5000
/* By how much it may differ between two answers for the same place */
#define PLACE_JITTER_MS 1000

void
shard_tip_init(ShardTip *tip, MemoryContext cxt, const KinesisStream *stream,
			   const KinesisShard *shard, ShardPace *pace, void *owner,
			   bool wanted)
{
	memset(tip, 0, sizeof(*tip));
	tip->cxt = cxt;
	tip->stream = stream;
	tip->shard_id = shard->shard_id;
	tip->pace = pace;
	tip->owner = owner;
	tip->wanted = wanted;
	tip->opened_ms = clock_now_ms();
	tip->behind_ms = -1;
	tip->least_ms = -1;
}

void
shard_tip_approach(ShardTip *tip, const KinesisPage *page, int64 asked_ms)
{
	int64		behind_ms = page->millis_behind_latest;

	tip->step_ms = tip->behind_ms < 0 || behind_ms < 0 ? 0 :
		Max(tip->behind_ms - behind_ms, 0);
	tip->behind_ms = behind_ms;
	tip->reached_ms = asked_ms - Max(behind_ms, 0);
	tip->empty = page->n_records == 0;
	if (!tip->empty || tip->least_ms < 0 || behind_ms < tip->least_ms)
	{
		tip->least_ms = behind_ms;
		tip->standing = 0;
	}
	else if (tip->standing++ == 0)
		tip->stood_ms = asked_ms;
}

/*
 * Do the service's answers show that the reader has passed the tip?  Either by
 * the time that it was opened, or by the place of the second iterator.
 */
static bool
seems_passed(const ShardTip *tip)
{
	if (tip->reached_ms >= tip->opened_ms + PLACE_MARGIN_MS)
		return true;
	return tip->standing >= DOUBT_ANSWERS && tip->placed &&
		tip->looked_ms >= tip->stood_ms &&
		tip->reached_ms >= tip->place_ms - PLACE_JITTER_MS;
}

/*
 * Only an empty answer can be the last one: a service that tells no
 * MillisBehindLatest, or always the same, does so in answers with records,
 * too.
 */
bool
shard_tip_is_passed(const ShardTip *tip)
{
	if (!tip->empty)
		return false;
	if (seems_passed(tip))
		return true;
	if (tip->standing >= STANDING_ANSWERS)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("could not read shard \"%s\" of stream \"%s\" to its tip",
						tip->shard_id, tip->stream->name),
				 errdetail("%d answers in a row said that more records follow, but had none.",
						   tip->standing),
				 errhint("Check the \"endpoint\" option of the foreign server.")));
	return false;
}

/*
 * May the reader's next answer have records beyond the tip?  The reader is at
 * the tip when its MillisBehindLatest is the time since taken_ms or less; its
 * next answer may come nearer by as much as the last one did.
 */
static bool
is_near(const ShardTip *tip, int64 now_ms)
{
	return tip->behind_ms - tip->step_ms <= now_ms - tip->taken_ms;
}

void
shard_tip_start(ShardTip *tip, int64 now_ms)
{
	KinesisIteratorStart latest = {.type = KINESIS_LATEST};

	if (!tip->wanted || tip->call != NULL)
		return;
	if (tip->iterator == NULL)
	{
		if (!shard_pace_take(tip->pace, SHARD_CALL_ITERATOR, now_ms))
			return;
		if (tip->taken_ms == 0)
			tip->taken_ms = now_ms;
		tip->looked_ms = now_ms;
		tip->call = kinesis_get_shard_iterator_begin(tip->stream,
													 tip->shard_id, &latest,
													 tip->owner);
	}
	else if (!tip->fresh &&
			 (is_near(tip, now_ms) || now_ms - tip->looked_ms > LOOK_MS) &&
			 shard_pace_wait(tip->pace, SHARD_CALL_RECORDS, now_ms) == 0 &&
			 shard_pace_take(tip->pace, SHARD_CALL_RECORDS, now_ms))
	{
		tip->fresh = true;
		tip->looked_ms = now_ms;
		tip->call = kinesis_get_records_begin(tip->stream, tip->iterator, 1,
											  tip->owner);
	}
}

static void
keep_iterator(ShardTip *tip, const char *fresh)
{
	if (tip->iterator != NULL)
		pfree(tip->iterator);
	tip->iterator = fresh == NULL ? NULL :
		MemoryContextStrdup(tip->cxt, fresh);
}

/* Take the answer to a GetRecords with the second iterator. */
static void
follow_page(ShardTip *tip, const KinesisPage *page)
{
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
		tip->wanted = false;	/* the shard was closed: the reader meets its
								 * end */
	else
	{
		tip->place_ms = tip->looked_ms - Max(page->millis_behind_latest, 0);
		tip->placed = true;
		keep_iterator(tip, page->next_iterator);
	}
}

bool
shard_tip_finish(ShardTip *tip, int64 now_ms, AwsError *error)
{
	AwsCall    *call = tip->call;
	const AwsError *failure = aws_call_error(call);
	KinesisPage *page;

	tip->call = NULL;
	if (failure != NULL)
	{
		bool		expired = failure->class == AWS_ERROR_EXPIRED_ITERATOR;

		/*
		 * Get a new iterator of type LATEST for one that expired.  The tip is
		 * later then than it was, but it is one place still.
		 */
		if (expired)
			keep_iterator(tip, NULL);
		else
			aws_error_copy(error, failure);
		aws_call_close(call);
		return expired;
	}
	if (tip->iterator == NULL)
	{
		char	   *iterator = kinesis_get_shard_iterator_end(call, error);

		if (iterator == NULL)
			return false;
		keep_iterator(tip, iterator);
		pfree(iterator);
		shard_tip_start(tip, now_ms);
		return true;
	}

	page = kinesis_get_records_try(call, error);
	if (page == NULL)
		return false;
	follow_page(tip, page);
	kinesis_page_free(page);
	return true;
}

void
shard_tip_forget(ShardTip *tip)
{
	tip->wanted = false;
	if (tip->call != NULL)
		aws_call_close(tip->call);
	tip->call = NULL;
}

bool
shard_tip_cut(const ShardTip *tip, KinesisPage *page)
{
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
