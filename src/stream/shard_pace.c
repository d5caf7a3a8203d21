/*
 * shard_pace.c
 *	  When a shard may be asked; see shard_pace.h.
 */
#include "postgres.h"

#include "base/backoff.h"
#include "base/compat.h"
#include "stream/shard_pace.h"
#include "utils/memutils.h"

/* Between attempts at a call, with full jitter, doubled by each of them. */
#define RETRY_BASE_MS 100
#define RETRY_CAP_MS 20000
/* When the service throttles.  A shard's allowance is counted by the second. */
#define THROTTLE_BASE_MS 1000

void
shard_pace_init(ShardPace *pace, MemoryContext cxt)
{
	memset(pace, 0, sizeof(*pace));
	pace->cxt = cxt;
	for (int i = 0; i < KINESIS_GET_RECORDS_PER_SECOND; i++)
		pace->called_ms[i] = PG_INT64_MIN / 2;
}

long
shard_pace_wait(const ShardPace *pace, int64 now_ms)
{
	return Max(0, (long) (pace->due_ms - now_ms));
}

long
shard_pace_wait_records(const ShardPace *pace, int64 now_ms)
{
	int64		free_ms = pace->called_ms[pace->oldest] + 1000;

	return Max(0, (long) (Max(free_ms, pace->due_ms) - now_ms));
}

void
shard_pace_take(ShardPace *pace, int64 now_ms)
{
	pace->called_ms[pace->oldest] = now_ms;
	pace->oldest = (pace->oldest + 1) % KINESIS_GET_RECORDS_PER_SECOND;
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
	pace->paid_ms = now_ms +
		(int64) bytes * 1000 / KINESIS_SHARD_BYTES_PER_SECOND;
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
 * A throttle while the last answer is not paid for ends, to our knowledge,
 * when it is; any other may end at any time.
 */
void
shard_pace_failed(ShardPace *pace, int64 now_ms, const AwsError *error)
{
	bool		throttled = error->class == AWS_ERROR_THROTTLE;
	int64		again_ms = pace->paid_ms;

	pace->failures++;
	set_trouble(pace, error);
	if (!throttled || again_ms <= now_ms)
		again_ms = now_ms +
			backoff_delay_ms(pace->failures - 1,
							 throttled ? THROTTLE_BASE_MS : RETRY_BASE_MS,
							 RETRY_CAP_MS, backoff_random());
	pace->due_ms = Max(pace->due_ms, again_ms);
}
