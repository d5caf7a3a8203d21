/*
 * shard_tip.h
 *	  Where the tip of a shard was at a moment, for a reader that goes to it.
 *
 * The service tells no tip, so a second iterator of type LATEST is taken: the
 * first record that it yields is the first that came afterwards.  No clock is
 * compared.  On a shard that nobody writes to that record never comes.
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
	bool		fresh;			/* looked since the reader's last GetRecords */
	AwsCall    *call;			/* under way, or NULL */
	char		sequence[KINESIS_SEQUENCE_DIGITS];
	uint8		digits;
} ShardTip;

/*
 * Ask for it, if it is wanted, not being asked for, and the pace allows: once
 * for each GetRecords of the reader, which unsets fresh.
 */
extern void shard_tip_start(ShardTip *tip, int64 now_ms);

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
