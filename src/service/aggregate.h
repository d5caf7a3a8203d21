/*
 * aggregate.h
 * 	  Aggregates: records that the Kinesis Producer Library has packed into
 * 	  one.
 *
 * An aggregate is four bytes of magic, a protobuf message (AggregatedRecord of
 * the KPL's aggregation format), and the MD5 of the message.  Any other data
 * is no aggregate but the user's own.  These functions allocate and copy
 * nothing: the records they return are slices of the input.  They use nothing
 * of PostgreSQL, so that a fuzzer can link them alone.
 */
#ifndef TRACKING_SERVICE_AGGREGATE_H
#define TRACKING_SERVICE_AGGREGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGGREGATE_MAGIC "\xF3\x89\x9A\xC2"
#define AGGREGATE_MAGIC_BYTES 4

/*
 * Most records in an aggregate, and entries in each of its two tables of keys.
 * The KPL makes no aggregate above 1 MiB, and a record takes 6 bytes at least.
 */
#define AGGREGATE_MAX_ENTRIES 262144
/* A partition key has up to 256 characters (API reference), of UTF-8 */
#define AGGREGATE_MAX_KEY_BYTES 1024
/* A hash key is a decimal below 2^128 */
#define AGGREGATE_MAX_HASH_KEY_DIGITS 39
/* The message: a Kinesis record has 10 MiB at the most (API reference) */
#define AGGREGATE_MAX_BYTES (10 * 1024 * 1024)

typedef struct AggregateSlice
{
	const char *start;
	uint32_t	len;
} AggregateSlice;

typedef struct AggregateRecord
{
	AggregateSlice data;
	int			partition_key;	/* index into the table of partition keys */
	int			explicit_hash_key;	/* the same for hash keys; -1: none */
} AggregateRecord;

typedef struct Aggregate
{
	int			n_partition_keys;
	int			n_explicit_hash_keys;
	int			n_records;		/* at least 1 */

	/* private */
	const char *message;
	const char *end;			/* of the message */
	const char *cur;			/* where aggregate_next() continues */
} Aggregate;

/*
 * Is this an aggregate with at least one record?  Checks all of it, so that
 * the functions below cannot fail; but does not check that keys are UTF-8.
 */
extern bool aggregate_open(Aggregate *aggregate, const char *data, size_t len);

/* The same for the message alone, without magic and MD5. */
extern bool aggregate_open_message(Aggregate *aggregate, const char *message,
								   size_t len);

/*
 * Fill the two tables of keys; the caller's arrays have n_partition_keys and
 * n_explicit_hash_keys elements.
 */
extern void aggregate_keys(const Aggregate *aggregate,
						   AggregateSlice *partition_keys,
						   AggregateSlice *explicit_hash_keys);

/* Get the next record, in order; false at the end. */
extern bool aggregate_next(Aggregate *aggregate, AggregateRecord *record);

#endif							/* TRACKING_SERVICE_AGGREGATE_H */
