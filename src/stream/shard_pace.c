/*
 * shard_pace.c
 *	  When a reader may call for a shard; see shard_pace.h.
 */
#include "postgres.h"

#include "base/backoff.h"
#include "base/compat.h"
#include "stream/shard_pace.h"
#include "utils/memutils.h"

/* Back-off between attempts at a call, with full jitter */
#define RETRY_BASE_MS 100
#define RETRY_CAP_MS 20000
/* The same for a throttle: the service counts a shard's calls by the second */
#define THROTTLE_BASE_MS 1000

/* A reservation expires if the call is not made so soon after its time */
#define RESERVATION_MS 50

void
shard_pace_init(ShardPace *pace, MemoryContext cxt)
{
	memset(pace, 0, sizeof(*pace));
	pace->cxt = cxt;
}

void
shard_pace_of(ShardPace *pace, const KinesisStream *stream,
			  const char *shard_id, ShardClaim claim)
{
	pace->claim = claim;
	pace->allowances[SHARD_CALL_ITERATOR] =
		shard_allowance_of(stream, shard_id, "GetShardIterator");
	pace->allowances[SHARD_CALL_RECORDS] =
		shard_allowance_of(stream, shard_id, "GetRecords");
}

/* The time reserved for a call; 0 if there is none, or it has expired. */
static int64
reserved_ms(const ShardPace *pace, ShardCall call, int64 now_ms)
{
	int64		at_ms = pace->reserved_ms[call];

	return now_ms - at_ms > RESERVATION_MS ? 0 : at_ms;
}

long
shard_pace_wait(const ShardPace *pace, ShardCall call, int64 now_ms)
{
	int64		at_ms = reserved_ms(pace, call, now_ms);

	if (at_ms == 0)
		at_ms = shard_allowance_free_ms(pace->allowances[call], pace->claim,
										now_ms);
	return Max(0, (long) (Max(at_ms, pace->due_ms) - now_ms));
}

bool
shard_pace_take(ShardPace *pace, ShardCall call, int64 now_ms)
{
	int64		at_ms = reserved_ms(pace, call, now_ms);

	if (at_ms == 0)
		at_ms = shard_allowance_reserve(pace->allowances[call], pace->claim,
										now_ms);
	pace->reserved_ms[call] = at_ms > now_ms ? at_ms : 0;
	return at_ms <= now_ms;
}

static void
forget_trouble(ShardPace *pace)
{
	if (pace->trouble != NULL)
	{
		pfree(unconstify(char *, pace->trouble->code));
		pfree(unconstify(char *, pace->trouble->message));
		pfree(pace->trouble);
	}
	pace->trouble = NULL;
}

void
shard_pace_answered(ShardPace *pace, int64 now_ms, size_t bytes)
{
	int64		paid_ms = now_ms +
		(int64) bytes * 1000 / KINESIS_SHARD_BYTES_PER_SECOND;

	if (pace->allowances[SHARD_CALL_RECORDS] != 0)
		shard_allowance_charge(pace->allowances[SHARD_CALL_RECORDS], paid_ms,
							   now_ms);
	forget_trouble(pace);
	pace->failures = 0;
}

static void
set_trouble(ShardPace *pace, const AwsError *error)
{
	forget_trouble(pace);
	pace->trouble = MemoryContextAlloc(pace->cxt, sizeof(AwsError));
	*pace->trouble = *error;
	pace->trouble->code = MemoryContextStrdup(pace->cxt, error->code);
	pace->trouble->message = MemoryContextStrdup(pace->cxt, error->message);
	pace->trouble->request_id = NULL;
	pace->trouble->attempts = pace->failures;
}

/*
 * While the shard's rate of bytes has not made up for the last answer, which
 * any reader may have got, a throttle is expected to end when it has.  Any
 * other failure may end at any time.
 */
void
shard_pace_failed(ShardPace *pace, int64 now_ms, const AwsError *error)
{
	bool		throttled = error->class == AWS_ERROR_THROTTLE;
	int64		again_ms = 0;

	if (throttled && pace->allowances[SHARD_CALL_RECORDS] != 0)
		again_ms =
			shard_allowance_paid_ms(pace->allowances[SHARD_CALL_RECORDS],
									now_ms);
	pace->failures++;
	set_trouble(pace, error);
	if (again_ms <= now_ms)
		again_ms = now_ms +
			backoff_delay_ms(pace->failures - 1,
							 throttled ? THROTTLE_BASE_MS : RETRY_BASE_MS,
							 RETRY_CAP_MS, backoff_random());
	pace->due_ms = Max(pace->due_ms, again_ms);
}
