/*
 * stream_clock.c
 *	  A stream's time; see stream_clock.h.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "stream/stream_clock.h"
#include "utils/timestamp.h"

/*
 * The service is many servers, whose clocks may differ by less than that: it
 * passes before anybody learns that the time was taken.
 */
#define SETTLE_MS 100

/* Where only the second is told, how often it is asked; and for how long */
#define TICK_MS 250
#define TICKS 8

/* How far a time that the service has not come to is set back, at the most */
#define BACK_MOST_US USECS_PER_DAY

static uint32 clock_wait_event = 0;

/* For all of it, whatever wakes us up. */
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
 * The second that begins: what was put before the first answer is older.  If it
 * does not begin, as the clock stands, it is the one that there is.
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
 * What dates the answers need not be the clock that the service judges by: a
 * proxy, say.  The time, or one before, that it has come to.
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
					 errdetail("It gives no iterator at any time of the day that its answers are dated."),
					 errhint("Check the \"endpoint\" option of the foreign server.")));
	}
	return time - back_us;
}

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
				 errdetail("The answers have no Date."),
				 errhint("Check the \"endpoint\" option of the foreign server.")));
	time = next_second(stream, shard_id, time);
	return first->judges ? set_back(stream, shard_id, time) : time;
}

/* A shard that can be asked. */
static const char *
any_shard(const KinesisStream *stream)
{
	List	   *shards = kinesis_list_shards(stream);

	if (shards == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("stream \"%s\" has no shards", stream->name),
				 errhint("Wait until it is ACTIVE.")));
	/* the first may expire at any time */
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
