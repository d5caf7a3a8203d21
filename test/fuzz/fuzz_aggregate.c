/*
 * fuzz_aggregate.c
 *	  libFuzzer target: what must hold for the aggregate decoder on any input.
 */
#include <stdlib.h>
#include <string.h>

#include "base/md5.h"
#include "service/aggregate.h"
#include "fuzz.h"

static void
check_slice(const AggregateSlice *slice, const char *text, size_t len)
{
	require_within(slice->start, slice->len, text, len);
}

static void
check_keys(const AggregateSlice *keys, int n, uint32_t max_bytes,
		   const char *text, size_t len)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		check_slice(&keys[i], text, len);
		require(keys[i].len <= max_bytes);
	}
}

/* An aggregate that was accepted: all of it can be read. */
static void
read_all(Aggregate *aggregate, const char *text, size_t len)
{
	int			n_keys = aggregate->n_partition_keys;
	int			n_hash_keys = aggregate->n_explicit_hash_keys;
	AggregateSlice *keys = malloc((n_keys + 1) * sizeof(AggregateSlice));
	AggregateSlice *hash_keys = malloc((n_hash_keys + 1) *
									   sizeof(AggregateSlice));
	AggregateRecord record;
	int			n = 0;

	require(n_keys <= AGGREGATE_MAX_ENTRIES);
	require(n_hash_keys <= AGGREGATE_MAX_ENTRIES);
	aggregate_keys(aggregate, keys, hash_keys);
	check_keys(keys, n_keys, AGGREGATE_MAX_KEY_BYTES, text, len);
	check_keys(hash_keys, n_hash_keys, AGGREGATE_MAX_HASH_KEY_DIGITS, text,
			   len);
	while (aggregate_next(aggregate, &record))
	{
		n++;
		check_slice(&record.data, text, len);
		require(record.partition_key >= 0 && record.partition_key < n_keys);
		require(record.explicit_hash_key >= -1 &&
				record.explicit_hash_key < n_hash_keys);
	}
	require(n > 0 && n == aggregate->n_records);
	require(n <= AGGREGATE_MAX_ENTRIES);
	free(keys);
	free(hash_keys);
}

/* The input as a message, between magic and MD5: both ways the same. */
static void
check_message(const char *text, size_t len)
{
	size_t		sealed_len = AGGREGATE_MAGIC_BYTES + len + MD5_BYTES;
	char	   *sealed = malloc(sealed_len);
	char	   *message = sealed + AGGREGATE_MAGIC_BYTES;
	Aggregate	aggregate;
	bool		accepted = aggregate_open_message(&aggregate, text, len);

	if (accepted)
		read_all(&aggregate, text, len);

	memcpy(sealed, AGGREGATE_MAGIC, AGGREGATE_MAGIC_BYTES);
	if (len > 0)
		memcpy(message, text, len);
	md5_digest(message, len, (uint8_t *) message + len);
	require(aggregate_open(&aggregate, sealed, sealed_len) == accepted);
	if (accepted)
		read_all(&aggregate, message, len);
	message[len] ^= 1;
	require(!aggregate_open(&aggregate, sealed, sealed_len));
	require(!aggregate_open(&aggregate, sealed, sealed_len - 1));
	free(sealed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *copy = malloc(size);
	Aggregate	aggregate;

	/* in memory of just its size */
	if (size > 0)
		memcpy(copy, data, size);
	check_message(copy, size);
	if (aggregate_open(&aggregate, copy, size))
		read_all(&aggregate, copy, size);
	free(copy);
	return 0;
}
