/*
 * stream_clock.h
 *	  What time it is for a stream: by the clock that dates its records.
 *
 * It need not be the database's: a few seconds between the two are common, and
 * a place in a stream by the wrong one is another place.
 */
#ifndef TRACKING_STREAM_STREAM_CLOCK_H
#define TRACKING_STREAM_STREAM_CLOCK_H

#include "postgres.h"

#include "service/kinesis.h"

/*
 * A time of the stream while this waits for it: records that were put before
 * are older than that, those that are put after it returned are not.  Of one
 * shard that the stream has, or, if shard_id is NULL, of any.
 */
extern TimestampTz stream_clock_now(const KinesisStream *stream,
									const char *shard_id);

#endif							/* TRACKING_STREAM_STREAM_CLOCK_H */
