/*
 * stream_clock.h
 *	  The time by the clock with which the service dates a stream's records.
 *
 * That clock and the database's commonly differ by a few seconds, so that a
 * time by the wrong clock is another position in the stream.
 */
#ifndef TRACKING_STREAM_STREAM_CLOCK_H
#define TRACKING_STREAM_STREAM_CLOCK_H

#include "postgres.h"

#include "service/kinesis.h"

/*
 * Ask for the time, by a shard of the stream: shard_id, or any if that is
 * NULL. Waits for the answer.  Records that were put before the call are older
 * than the time returned; those that are put after it returned are not.
 */
extern TimestampTz stream_clock_now(const KinesisStream *stream,
									const char *shard_id);

#endif							/* TRACKING_STREAM_STREAM_CLOCK_H */
