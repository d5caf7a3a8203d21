/*
 * position.h
 *	  A position in a shard: where reading continues.
 *
 * tracking.checkpoint keeps positions as text: TRIM_HORIZON, LATEST,
 * AT_TIMESTAMP:<ISO 8601>, <sequence number>, <sequence number>:<sub-sequence
 * number>, SHARD_END.  A sequence number is the position after that record.
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
	int64		sub_sequence;	/* AFTER_SEQUENCE: the last sub-record that
								 * was read; -1: the whole record was */
} StreamPosition;

/* Records of a shard that may have been dropped before they were read. */
typedef struct StreamGap
{
	const char *shard_id;
	StreamPosition from;		/* the position up to which all was read */
	StreamPosition to;			/* after the first record that the stream
								 * still had; the same as from if it had none */
	TimestampTz from_time;		/* records that arrived before were read; 0:
								 * unknown */
	TimestampTz to_time;		/* records that arrived after were not dropped */
} StreamGap;

/* The text form of a position, palloc'd. */
extern char *position_to_text(const StreamPosition *position);

/* Parse the text form; false if text is no position. */
extern bool position_from_text(const char *text, StreamPosition *position);

/*
 * Parse what a user writes for start_at: 'trim_horizon', 'latest', or anything
 * that timestamptz takes (raises that type's error, with a hint).
 */
extern void position_from_start_at(const char *text, StreamPosition *position);

/*
 * Set the position after this record.  If it is a sub-record and others of its
 * aggregate follow, the position is within the aggregate.
 */
extern void position_after_record(StreamPosition *position,
								  const KinesisRecord *record);

/*
 * Set the position after a table's row with this key; before the first row if
 * key is negative.
 */
extern void position_after_key(StreamPosition *position, int64 key);

/*
 * How many sub-records of this record, if it is an aggregate, a reader that
 * begins at position must leave out as read.
 */
extern int64 position_subs_done(const StreamPosition *position,
								const KinesisRecord *record);

/* Compare sequence numbers as the integers they are: <0, 0, >0. */
extern int	sequence_compare(const char *a, size_t a_digits,
							 const char *b, size_t b_digits);

#endif							/* TRACKING_STREAM_POSITION_H */
