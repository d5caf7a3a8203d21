/*
 * stream_shards.c
 *	  The shards that a reader knows, by their ids.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "stream/stream_private.h"
#include "utils/memutils.h"

typedef struct ShardEntry
{
	const char *shard_id;
	ReaderShard *shard;			/* NULL: another process reads it */
	char		status;
} ShardEntry;

#define SH_PREFIX shardhash
#define SH_ELEMENT_TYPE ShardEntry
#define SH_KEY_TYPE const char *
#define SH_KEY shard_id
#define SH_HASH_KEY(tb, key) \
	hash_bytes((const unsigned char *) (key), (int) strlen(key))
#define SH_EQUAL(tb, a, b) (strcmp(a, b) == 0)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

void
stream_shards_init(StreamReader *reader)
{
	reader->shards = shardhash_create(reader->cxt, 64, NULL);
	dlist_init(&reader->own);
}

ReaderShard *
stream_find_shard(const StreamReader *reader, const char *shard_id)
{
	ShardEntry *entry = shardhash_lookup(reader->shards, shard_id);

	return entry == NULL ? NULL : entry->shard;
}

bool
stream_is_known(const StreamReader *reader, const char *shard_id)
{
	return shardhash_lookup(reader->shards, shard_id) != NULL;
}

void
stream_leave_shard(StreamReader *reader, const char *shard_id)
{
	ShardEntry *entry;
	bool		found;

	if (stream_is_known(reader, shard_id))
		return;
	entry = shardhash_insert(reader->shards,
							 MemoryContextStrdup(reader->cxt, shard_id),
							 &found);
	entry->shard = NULL;
}

void
stream_own_shard(StreamReader *reader, ReaderShard *shard)
{
	const char *shard_id = shard->shard.shard_id;

	stream_leave_shard(reader, shard_id);
	shardhash_lookup(reader->shards, shard_id)->shard = shard;
	dlist_push_tail(&reader->own, &shard->own_node);
	reader->n_shards++;
}
