/*
 * position.h
 *	  A place in a shard: where to read on.
 *
 * As text it is what tracking.checkpoint keeps: TRIM_HORIZON, LATEST,
 * AT_TIMESTAMP:<ISO 8601>, <sequence number>, <sequence number>:<sub-sequence
 * number>, SHARD_END.  A sequence number stands for the place after it.
 */
#ifndef TRACKING_STREAM_POSITION_H
#define TRACKING_STREAM_POSITION_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "service/kinesis.h"

typedef enum PositionKind
{
	POSITION_TRIM_HORIZON,
	POSITION_LATEST,
	POSITION_AT_TIMESTAMP,
	POSITION_AFTER_SEQUENCE,
	POSITION_SHARD_END
} PositionKind;

typedef struct StreamPosition
{
	PositionKind kind;
	TimestampTz timestamp;		/* AT_TIMESTAMP */
	char		sequence[KINESIS_SEQUENCE_DIGITS + 1];	/* AFTER_SEQUENCE */
	int64		sub_sequence;	/* last sub-record done, -1: all of the record */
} StreamPosition;

/* Records of a shard that may have been dropped before they were read. */
typedef struct StreamGap
{
	const char *shard_id;
	StreamPosition from;		/* the last position that was read */
	StreamPosition to;			/* the first record there was; the same as
								 * from if there was none */
	TimestampTz from_time;		/* what arrived before was read; 0: unknown */
	TimestampTz to_time;		/* what arrived after was still there */
} StreamGap;

/* Text form, palloc'd. */
extern char *position_to_text(const StreamPosition *position);

/* False if text is no position. */
extern bool position_from_text(const char *text, StreamPosition *position);

/*
 * What a user writes for start_at: 'trim_horizon', 'latest', or anything that
 * timestamptz takes (raises that type's error, with a hint).
 */
extern void position_from_start_at(const char *text, StreamPosition *position);

/*
 * After this record; of a sub-record that others follow, within the aggregate.
 */
extern void position_after_record(StreamPosition *position,
								  const KinesisRecord *record);

/* After the row of a table with this key; before the first, if it is below 0. */
extern void position_after_key(StreamPosition *position, int64 key);

/*
 * How many sub-records of this record, if it is an aggregate, are done for a
 * reader that begins at position.
 */
extern int64 position_subs_done(const StreamPosition *position,
								const KinesisRecord *record);

/* Compare sequence numbers as the integers they are: <0, 0, >0. */
extern int	sequence_compare(const char *a, size_t a_digits,
							 const char *b, size_t b_digits);

#endif							/* TRACKING_STREAM_POSITION_H */
