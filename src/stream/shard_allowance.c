/*
 * shard_allowance.c
 *	  The calls that a shard allows in a second; see shard_allowance.h.
 *
 * The table is a hash table of buckets with a few entries each, under a
 * spinlock.  An entry holds only numbers.  An entry that was not touched for a
 * second matters no more, so that the table has room enough if it has room for
 * the shards that are read in a second.
 */
#include "postgres.h"

#include "base/compat.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "stream/shard_allowance.h"
#include "utils/memutils.h"

#define TABLE_NAME "tracking_fdw shard allowances"

/*
 * 8,192 entries in all.  A shard that is read takes two: one a kind of call.
 */
#define N_BUCKETS 1024
#define BUCKET_ENTRIES 8

#define WINDOW_MS 1000
/* Calls in a window that anybody may make; the one left is the workers'. */
#define COMMON_CALLS (KINESIS_GET_RECORDS_PER_SECOND - 1)

/*
 * For how long scans leave the workers' call alone after a worker asked for a
 * call.  A worker that polls less often can afford to wait.
 */
#define WORKER_STAYS_MS 60000

/* A time long ago, for a clock that may begin at 0 */
#define NEVER_MS (-WORKER_STAYS_MS)

typedef struct Entry
{
	ShardAllowance allowance;	/* 0: the entry is free */
	int64		touched_ms;		/* when it was last looked up */
	int64		common_ms[COMMON_CALLS];	/* a ring: times of the last calls
											 * that anybody may make */
	int			oldest;			/* index into common_ms */
	int64		own_ms;			/* time of the last call that is the workers' */
	int64		worker_ms;		/* when a worker last reserved a call */
	int64		paid_ms;		/* see shard_allowance_charge() */
} Entry;

typedef struct Bucket
{
	slock_t		mutex;
	Entry		entries[BUCKET_ENTRIES];
} Bucket;

typedef struct Table
{
	Bucket		buckets[N_BUCKETS];
} Table;

static Table *table = NULL;
static shmem_request_hook_type previous_request = NULL;
static shmem_startup_hook_type previous_startup = NULL;

/* ----------------------------------------------------------------
 * Where the table is
 * ---------------------------------------------------------------- */

static void
init_entry(Entry *entry, ShardAllowance allowance)
{
	memset(entry, 0, sizeof(*entry));
	entry->allowance = allowance;
	entry->touched_ms = NEVER_MS;
	for (int i = 0; i < COMMON_CALLS; i++)
		entry->common_ms[i] = NEVER_MS;
	entry->own_ms = NEVER_MS;
	entry->worker_ms = NEVER_MS;
	entry->paid_ms = NEVER_MS;
}

static void
init_table(void *memory)
{
	Table	   *fresh = memory;

	for (int b = 0; b < N_BUCKETS; b++)
	{
		SpinLockInit(&fresh->buckets[b].mutex);
		for (int e = 0; e < BUCKET_ENTRIES; e++)
			init_entry(&fresh->buckets[b].entries[e], 0);
	}
}

static void
request_memory(void)
{
	if (previous_request != NULL)
		previous_request();
	RequestAddinShmemSpace(sizeof(Table));
}

static void
find_memory(void)
{
	bool		found;

	if (previous_startup != NULL)
		previous_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	table = ShmemInitStruct(TABLE_NAME, sizeof(Table), &found);
	if (!found)
		init_table(table);
	LWLockRelease(AddinShmemInitLock);
}

void
shard_allowance_init(void)
{
	previous_request = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_startup = shmem_startup_hook;
	shmem_startup_hook = find_memory;
}

static void
need_table(void)
{
	Table	   *own;

	if (table == NULL)
		table = compat_named_segment(TABLE_NAME, sizeof(Table), init_table);
	if (table != NULL)
		return;
	own = MemoryContextAlloc(TopMemoryContext, sizeof(Table));
	init_table(own);
	table = own;
}

/* ----------------------------------------------------------------
 * Entries
 * ---------------------------------------------------------------- */

ShardAllowance
shard_allowance_of(const KinesisStream *stream, const char *shard_id,
				   const char *call)
{
	const char *in_arn = strrchr(stream->name, '/');
	StringInfoData name;
	uint64		hash;

	initStringInfo(&name);
	appendStringInfo(&name, "%s %s %s %s", aws_client_url(stream->aws),
					 in_arn != NULL ? in_arn + 1 : stream->name, shard_id,
					 call);
	hash = hash_bytes_extended((const unsigned char *) name.data, name.len, 0);
	pfree(name.data);
	return hash != 0 ? hash : 1;
}

/*
 * The entry of an allowance, made if there is none.  Holds the spinlock of its
 * bucket until release_entry().
 */
static Entry *
hold_entry(ShardAllowance allowance, int64 now_ms, Bucket **bucket)
{
	Entry	   *entry;

	need_table();
	*bucket = &table->buckets[allowance % N_BUCKETS];
	entry = (*bucket)->entries;
	SpinLockAcquire(&(*bucket)->mutex);
	for (int i = 0; i < BUCKET_ENTRIES; i++)
	{
		Entry	   *other = &(*bucket)->entries[i];

		if (other->allowance == allowance)
		{
			entry = other;
			break;
		}
		if (other->touched_ms < entry->touched_ms)
			entry = other;
	}
	if (entry->allowance != allowance)
		init_entry(entry, allowance);
	entry->touched_ms = now_ms;
	return entry;
}

static void
release_entry(Bucket *bucket)
{
	SpinLockRelease(&bucket->mutex);
}

static int64
common_free_ms(const Entry *entry, int64 now_ms)
{
	return Max(entry->common_ms[entry->oldest] + WINDOW_MS, now_ms);
}

/*
 * When the workers' call is free; PG_INT64_MAX if it is not for this claim.  A
 * scan may have it if no worker reads the shard, but not long in advance, as a
 * worker may come.
 */
static int64
own_free_ms(const Entry *entry, ShardClaim claim, int64 now_ms)
{
	int64		at_ms = Max(entry->own_ms + WINDOW_MS, now_ms);

	if (claim == CLAIM_SCAN &&
		(now_ms - entry->worker_ms <= WORKER_STAYS_MS ||
		 at_ms > now_ms + WINDOW_MS))
		return PG_INT64_MAX;
	return at_ms;
}

static int64
reserve(Entry *entry, ShardClaim claim, int64 now_ms)
{
	int64		common_ms = common_free_ms(entry, now_ms);
	int64		own_ms = own_free_ms(entry, claim, now_ms);

	if (own_ms < common_ms)
	{
		entry->own_ms = own_ms;
		return own_ms;
	}
	entry->common_ms[entry->oldest] = common_ms;
	entry->oldest = (entry->oldest + 1) % COMMON_CALLS;
	return common_ms;
}

int64
shard_allowance_free_ms(ShardAllowance allowance, ShardClaim claim,
						int64 now_ms)
{
	Bucket	   *bucket;
	Entry	   *entry = hold_entry(allowance, now_ms, &bucket);
	int64		at_ms = Min(common_free_ms(entry, now_ms),
							own_free_ms(entry, claim, now_ms));

	release_entry(bucket);
	return at_ms;
}

int64
shard_allowance_reserve(ShardAllowance allowance, ShardClaim claim,
						int64 now_ms)
{
	Bucket	   *bucket;
	Entry	   *entry = hold_entry(allowance, now_ms, &bucket);
	int64		at_ms = reserve(entry, claim, now_ms);

	if (claim == CLAIM_WORKER)
		entry->worker_ms = now_ms;
	release_entry(bucket);
	return at_ms;
}

void
shard_allowance_charge(ShardAllowance allowance, int64 paid_ms, int64 now_ms)
{
	Bucket	   *bucket;
	Entry	   *entry = hold_entry(allowance, now_ms, &bucket);

	entry->paid_ms = Max(entry->paid_ms, paid_ms);
	release_entry(bucket);
}

int64
shard_allowance_paid_ms(ShardAllowance allowance, int64 now_ms)
{
	Bucket	   *bucket;
	Entry	   *entry = hold_entry(allowance, now_ms, &bucket);
	int64		paid_ms = entry->paid_ms;

	release_entry(bucket);
	return paid_ms;
}
