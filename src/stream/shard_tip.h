/*
 * shard_tip.h
 *	  Where the tip of a shard was at a moment, for a reader that goes to it.
 *
 * The service tells no tip, so a second iterator of type LATEST is taken: the
 * first record that it yields is the first that came afterwards.  No clock is
 * compared.  On a shard that nobody writes to that record never comes, so it is
 * looked for only where the reader may be about to meet it: a look takes from
 * the GetRecords that the shard allows.
 */
#ifndef TRACKING_STREAM_SHARD_TIP_H
#define TRACKING_STREAM_SHARD_TIP_H

#include "postgres.h"

#include "stream/shard_pace.h"

typedef struct ShardTip
{
	MemoryContext cxt;
	const KinesisStream *stream;
	const char *shard_id;
	ShardPace  *pace;			/* its GetRecords count like any other */
	void	   *owner;			/* of its calls */

	bool		wanted;			/* still to be found */
	bool		known;			/* sequence holds the first record beyond it */
	char	   *iterator;		/* NULL: none yet, or it expired */
	int64		taken_ms;		/* when the first iterator was asked for; 0: not */
	int64		looked_ms;		/* when the last GetRecords was made */
	int64		behind_ms;		/* of the reader's last answer; -1: unknown */
	int64		step_ms;		/* that it came nearer by that answer */
	bool		fresh;			/* looked since the reader's last GetRecords */
	AwsCall    *call;			/* under way, or NULL */
	char		sequence[KINESIS_SEQUENCE_DIGITS];
	uint8		digits;
} ShardTip;

/* Of a shard; wanted unless it has none that moves. */
extern void shard_tip_init(ShardTip *tip, MemoryContext cxt,
						   const KinesisStream *stream,
						   const KinesisShard *shard, ShardPace *pace,
						   void *owner, bool wanted);

/*
 * Ask for it, if it is wanted, not being asked for, near, and the pace allows:
 * once for each GetRecords of the reader, which unsets fresh.
 */
extern void shard_tip_start(ShardTip *tip, int64 now_ms);

/* The reader's last answer was that far behind; -1: it did not say. */
extern void shard_tip_approach(ShardTip *tip, int64 behind_ms);

/*
 * Take the call when it has finished.  False, with *error filled, if it failed
 * in a way that the reader must judge.
 */
extern bool shard_tip_finish(ShardTip *tip, int64 now_ms, AwsError *error);

/* Nobody wants to know any more. */
extern void shard_tip_forget(ShardTip *tip);

/* Cut off what of a page lies beyond the tip; true if anything did. */
extern bool shard_tip_cut(const ShardTip *tip, KinesisPage *page);

#endif							/* TRACKING_STREAM_SHARD_TIP_H */
