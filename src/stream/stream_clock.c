/*
 * stream_clock.c
 *	  The time of a stream; see stream_clock.h.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "stream/stream_clock.h"
#include "utils/timestamp.h"

/*
 * The clocks of the service's many servers are taken to differ by less than
 * this: we wait so long before we return, so that records put afterwards are
 * not older on any of them.
 */
#define SETTLE_MS 100

/*
 * If the service tells its time to the second: how often we ask, and for long
 */
#define TICK_MS 250
#define TICKS 8

/* By how much set_back() sets a time back at the most */
#define BACK_MOST_US USECS_PER_DAY

static uint32 clock_wait_event = 0;

/* Wait for all of ms, even if the latch is set meanwhile. */
static void
wait_for(long ms)
{
	int64		until_ms = clock_now_ms() + ms;
	long		left_ms;

	while ((left_ms = (long) (until_ms - clock_now_ms())) > 0)
		clock_wait(left_ms, compat_wait_event(&clock_wait_event,
											  "TrackingFdwClock"));
}

/*
 * Wait for the next second to begin, and return it: records that were put
 * before the first answer are older.  If the clock stands still, return the
 * second that it shows.
 */
static TimestampTz
next_second(const KinesisStream *stream, const char *shard_id,
			TimestampTz second)
{
	KinesisTime time = {.date = second};

	for (int i = 0; i < TICKS && time.date <= second; i++)
	{
		wait_for(TICK_MS);
		kinesis_ask_time(stream, shard_id, &time);
	}
	return time.date;
}

/*
 * The Date of an answer may be by another clock than the one that the service
 * compares an iterator's time with: a proxy's, for example.  Return time, or a
 * time not long before it, that the service's clock has reached.
 */
static TimestampTz
set_back(const KinesisStream *stream, const char *shard_id, TimestampTz time)
{
	int64		back_us = 0;

	while (!kinesis_has_come(stream, shard_id, time - back_us))
	{
		back_us = Max(back_us * 2, USECS_PER_SEC);
		if (back_us > BACK_MOST_US)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_ERROR),
					 errmsg("could not tell the time of stream \"%s\"",
							stream->name),
					 errdetail("It refuses iterators at the Date of its answers and at times up to a day before."),
					 errhint("Check the \"endpoint\" option of the foreign server.")));
	}
	return time - back_us;
}

/* The time by the Date of the answers, the first of which has come. */
static TimestampTz
dated_time(const KinesisStream *stream, const char *shard_id,
		   const KinesisTime *first)
{
	TimestampTz time = first->date;

	if (time == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("could not tell the time of stream \"%s\"",
						stream->name),
				 errdetail("The service's answers have no Date header."),
				 errhint("Check the \"endpoint\" option of the foreign server.")));
	time = next_second(stream, shard_id, time);
	return first->judges ? set_back(stream, shard_id, time) : time;
}

/* The id of a shard to ask by. */
static const char *
any_shard(const KinesisStream *stream)
{
	List	   *shards = kinesis_list_shards(stream);

	if (shards == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("stream \"%s\" has no shards", stream->name),
				 errhint("Wait until it is ACTIVE.")));
	/* the first one is the oldest, and may expire at any time */
	return ((KinesisShard *) llast(shards))->shard_id;
}

TimestampTz
stream_clock_now(const KinesisStream *stream, const char *shard_id)
{
	KinesisTime time;
	TimestampTz now;

	if (shard_id == NULL)
		shard_id = any_shard(stream);
	kinesis_ask_time(stream, shard_id, &time);
	now = time.told != 0 ? time.told : dated_time(stream, shard_id, &time);
	wait_for(SETTLE_MS);
	return now;
}
