/*
 * kinesis_unpack.c
 *	  Kinesis: walking through the records of a page with aggregates.
 *
 * Sub-records are slices of their aggregate, whose base64 is decoded in place.
 * aggregate.c knows the format of aggregates.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "service/aggregate.h"
#include "service/kinesis_wire.h"

/* The tables of keys of an aggregate. */
typedef struct Keys
{
	AggregateSlice *partition_keys;
	AggregateSlice *explicit_hash_keys;
} Keys;

struct KinesisUnpack
{
	MemoryContext cxt;			/* holds the walk */
	const KinesisPage *page;
	int			record;			/* index of the next record */
	int			sub;			/* if that is an aggregate: index of the next
								 * sub-record */
	bool		is_open;		/* ... and the members below are set for it */
	MemoryContext keys_cxt;		/* holds keys */
	Keys		keys;
	Aggregate	aggregate;		/* read up to sub */
};

/* Can all keys become text: are they UTF-8 without a zero byte? */
static bool
keys_are_text(const AggregateSlice *keys, int n)
{
	for (int i = 0; i < n; i++)
		if (pg_encoding_verifymbstr(PG_UTF8, keys[i].start, keys[i].len) !=
			(int) keys[i].len)
			return false;
	return true;
}

/* Read the tables of keys, in the current context. */
static void
read_keys(const Aggregate *aggregate, Keys *keys)
{
	keys->partition_keys = palloc(aggregate->n_partition_keys *
								  sizeof(AggregateSlice));
	keys->explicit_hash_keys = palloc(aggregate->n_explicit_hash_keys *
									  sizeof(AggregateSlice));
	aggregate_keys(aggregate, keys->partition_keys, keys->explicit_hash_keys);
}

/* Open a record's aggregate.  False if the record is the user's own data. */
static bool
open_record(KinesisRecord *record, Aggregate *aggregate)
{
	const char *data;
	size_t		bytes;
	Keys		keys;

	if (record->data_bytes < sizeof(KINESIS_AGGREGATE_BASE64) - 1 ||
		memcmp(record->data, KINESIS_AGGREGATE_BASE64,
			   sizeof(KINESIS_AGGREGATE_BASE64) - 1) != 0 ||
		!kinesis_record_data(record, &data, &bytes) ||
		!aggregate_open(aggregate, data, bytes))
		return false;
	read_keys(aggregate, &keys);
	return keys_are_text(keys.partition_keys, aggregate->n_partition_keys);
}

/* Find the aggregates; n_left is changed to count sub-records instead. */
static void
find_aggregates(KinesisPage *page)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "tracking_fdw unpacking",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);

	page->aggregates = MemoryContextAllocZero(aws_call_context(page->call),
											  page->n_records *
											  sizeof(Aggregate));
	for (int i = page->first; i < page->n_records; i++)
	{
		Aggregate  *aggregate = &page->aggregates[i];

		if (open_record(&page->records[i], aggregate))
			page->n_left += aggregate->n_records - 1;
		else
			aggregate->n_records = 0;
		MemoryContextReset(cxt);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
}

void
kinesis_page_count(KinesisPage *page, bool unpack)
{
	page->n_left = page->n_records - page->first;
	if (unpack && page->maybe_aggregated && page->n_left > 0)
		find_aggregates(page);
}

void
kinesis_page_skip_subs(KinesisPage *page, int64 n)
{
	int64		n_subs = page->aggregates == NULL ? 0 :
		page->aggregates[page->first].n_records;

	if (n < n_subs)
		page->first_sub = n;
	else if (n_subs > 0)
		page->first++;
	page->n_left -= Min(n, n_subs);
}

KinesisUnpack *
kinesis_unpack_open(MemoryContext cxt, const KinesisPage *page)
{
	MemoryContext own = AllocSetContextCreate(cxt, "tracking_fdw unpacking",
											  ALLOCSET_SMALL_SIZES);
	KinesisUnpack *unpack = MemoryContextAllocZero(own,
												   sizeof(KinesisUnpack));

	unpack->cxt = own;
	unpack->page = page;
	unpack->record = page->first;
	unpack->keys_cxt = AllocSetContextCreate(own, "tracking_fdw keys",
											 ALLOCSET_SMALL_SIZES);
	return unpack;
}

void
kinesis_unpack_close(KinesisUnpack *unpack)
{
	MemoryContextDelete(unpack->cxt);
}

/*
 * Enter the next record, an aggregate, after the sub-records left out of it.
 */
static void
open_aggregate(KinesisUnpack *unpack)
{
	const KinesisPage *page = unpack->page;
	MemoryContext old = MemoryContextSwitchTo(unpack->keys_cxt);
	AggregateRecord left_out;

	unpack->aggregate = page->aggregates[unpack->record];
	read_keys(&unpack->aggregate, &unpack->keys);
	unpack->sub = unpack->record == page->first ? page->first_sub : 0;
	for (int i = 0; i < unpack->sub; i++)
		(void) aggregate_next(&unpack->aggregate, &left_out);
	unpack->is_open = true;
	MemoryContextSwitchTo(old);
}

static void
close_aggregate(KinesisUnpack *unpack)
{
	MemoryContextReset(unpack->keys_cxt);
	unpack->is_open = false;
	unpack->record++;
}

static void
next_sub(KinesisUnpack *unpack, KinesisRecord *out)
{
	int			n = unpack->aggregate.n_records;
	const AggregateSlice *key;
	AggregateRecord sub;

	if (!aggregate_next(&unpack->aggregate, &sub))
		elog(ERROR, "an aggregate has fewer records than were counted");
	key = &unpack->keys.partition_keys[sub.partition_key];
	*out = unpack->page->records[unpack->record];
	out->data = unconstify(char *, sub.data.start);
	out->data_bytes = sub.data.len;
	out->partition_key = key->start;
	out->partition_key_bytes = key->len;
	out->key_escaped = false;
	out->sub_sequence = unpack->sub++;
	out->more_follow = unpack->sub < n;
	if (sub.explicit_hash_key >= 0)
	{
		key = &unpack->keys.explicit_hash_keys[sub.explicit_hash_key];
		out->explicit_hash_key = key->start;
		out->explicit_hash_key_digits = key->len;
	}
	if (unpack->sub == n)
		close_aggregate(unpack);
}

void
kinesis_unpack_next(KinesisUnpack *unpack, KinesisRecord *records, int n)
{
	const KinesisPage *page = unpack->page;

	for (int i = 0; i < n; i++)
	{
		Assert(unpack->record < page->n_records);
		if (page->aggregates[unpack->record].n_records == 0)
			records[i] = page->records[unpack->record++];
		else
		{
			if (!unpack->is_open)
				open_aggregate(unpack);
			next_sub(unpack, &records[i]);
		}
	}
}
