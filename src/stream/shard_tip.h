/*
 * shard_tip.h
 *	  Where the tip of a shard was at a moment, for a reader that goes to it.
 *
 * The service tells no tip, so a second iterator of type LATEST is taken: the
 * first record that it yields is the first that came afterwards.  No clock is
 * compared.  On a shard that nobody writes to that record never comes, so it is
 * looked for only where the reader may be about to meet it, and now and then:
 * a look takes from the GetRecords that the shard allows.
 *
 * Where no record comes afterwards, the reader is there when an answer says so:
 * that it is 0 behind, or less than the time that it reads.  A service may have
 * its own idea of that.  What it says of an iterator that is at the tip, it may
 * as well say of the reader.
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
	int64		place_ms;		/* where that was, by what it said; see
								 * shard_tip_approach() */
	bool		placed;			/* ... it said so, and had no record */
	bool		fresh;			/* looked since the reader's last GetRecords */

	/* the reader */
	int64		opened_ms;
	int64		behind_ms;		/* of its last answer; -1: unknown */
	int64		step_ms;		/* that it came nearer by that answer */
	int64		least_ms;		/* behind, since it last had records; -1: unknown */
	int			standing;		/* answers without records, no nearer, in a row */
	int64		stood_ms;		/* when the first of them was asked for */
	int64		reached_ms;		/* the place that it has reached */
	bool		empty;			/* its last answer had no records */

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

/*
 * The reader was answered by a page that it asked for at asked_ms.  A page that
 * is so far behind is at a place: where what came at asked_ms less that far is.
 */
extern void shard_tip_approach(ShardTip *tip, const KinesisPage *page,
							   int64 asked_ms);

/*
 * Is the reader there, although no answer has said so in as many words?  Raises
 * an error if it comes no nearer, and that is not to be known.
 */
extern bool shard_tip_is_passed(const ShardTip *tip);

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
