/*
 * shard_tip.h
 *	  Where the tip of a shard was when a reader with READ_TO_TIP was opened.
 *
 * The service does not tell where a shard's tip is.  So we get a second
 * iterator, of type LATEST: the first record that it yields is the first one
 * beyond the tip.  No clocks are compared.  On a shard that nobody writes to,
 * that record never comes.  As each look for it takes a GetRecords from the
 * shard's allowance, we look only when the reader may be about to come to it,
 * and every LOOK_MS.
 *
 * If no record comes after the tip, the reader is at the tip when an answer
 * says so: MillisBehindLatest is 0, or less than the time since the reader was
 * opened.  Services other than Kinesis may tell a MillisBehindLatest that
 * never becomes so small.  Then the reader is at the tip when the service
 * tells the same of its iterator as of the second one, which is at the tip.
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
	ShardPace  *pace;			/* the reader's: our calls take from the same
								 * allowance */
	void	   *owner;			/* of our calls: the reader */

	bool		wanted;			/* the first record beyond the tip is to be
								 * found */
	bool		known;			/* it is found: sequence holds its number */
	char	   *iterator;		/* the second one; NULL: none yet, or expired */
	int64		taken_ms;		/* when it was first asked for; 0: not yet */
	int64		looked_ms;		/* when our last call was made */
	int64		place_ms;		/* the place of the second iterator by its
								 * last answer; see shard_tip_approach() */
	bool		placed;			/* such an answer has come */
	bool		fresh;			/* we have looked since the reader's last
								 * GetRecords */

	/* the reader */
	int64		opened_ms;
	int64		behind_ms;		/* MillisBehindLatest of its last answer; -1:
								 * unknown */
	int64		step_ms;		/* by how much less that is than before */
	int64		least_ms;		/* least of it since an answer had records;
								 * -1: unknown */
	int			standing;		/* answers in a row without records that came
								 * no nearer to the tip */
	int64		stood_ms;		/* when the first of these was asked for */
	int64		reached_ms;		/* the place that the reader has reached */
	bool		empty;			/* its last answer had no records */

	AwsCall    *call;			/* ours under way, or NULL */
	char		sequence[KINESIS_SEQUENCE_DIGITS];	/* not terminated */
	uint8		digits;			/* of sequence */
} ShardTip;

/*
 * Start for a reader of a shard that is opened now.  wanted: the shard is
 * open, so that there may be records beyond the tip.
 */
extern void shard_tip_init(ShardTip *tip, MemoryContext cxt,
						   const KinesisStream *stream,
						   const KinesisShard *shard, ShardPace *pace,
						   void *owner, bool wanted);

/*
 * Start a call that looks for the first record beyond the tip, if it is
 * wanted, the reader may be near it, no such call is under way, and the pace
 * allows. At most one GetRecords is started for each of the reader, which
 * unsets fresh.
 */
extern void shard_tip_start(ShardTip *tip, int64 now_ms);

/*
 * The reader got this page, which it had asked for at asked_ms.  The page's
 * place is the time asked_ms less its MillisBehindLatest.
 */
extern void shard_tip_approach(ShardTip *tip, const KinesisPage *page,
							   int64 asked_ms);

/*
 * Is the reader at the tip, although no answer had a MillisBehindLatest of 0?
 * Raises an error if too many answers came no nearer, and nothing shows that
 * the tip is reached.
 */
extern bool shard_tip_is_passed(const ShardTip *tip);

/*
 * Take our call, which has finished.  False, with *error filled, if it failed
 * in a way that the reader must deal with.
 */
extern bool shard_tip_finish(ShardTip *tip, int64 now_ms, AwsError *error);

/* Stop looking, and close the call under way. */
extern void shard_tip_forget(ShardTip *tip);

/* Cut off a page's records beyond the tip; true if it had any. */
extern bool shard_tip_cut(const ShardTip *tip, KinesisPage *page);

#endif							/* TRACKING_STREAM_SHARD_TIP_H */
