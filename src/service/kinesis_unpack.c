/*
 * kinesis_unpack.c
 *	  Kinesis: a page whose aggregates give way to the records in them.
 *
 * Sub-records are slices of the aggregate, which is decoded where it is.  How
 * an aggregate is written is known in aggregate.c.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "base/buffer.h"
#include "service/aggregate.h"
#include "service/kinesis_wire.h"

/* An aggregate with its tables of keys. */
typedef struct Unpacked
{
	Aggregate	aggregate;
	AggregateSlice *partition_keys;
	AggregateSlice *explicit_hash_keys;
} Unpacked;

/* Keys become text, which takes only UTF-8 without a zero byte. */
static bool
keys_are_text(const AggregateSlice *keys, int n)
{
	for (int i = 0; i < n; i++)
		if (pg_encoding_verifymbstr(PG_UTF8, keys[i].start, keys[i].len) !=
			(int) keys[i].len)
			return false;
	return true;
}

/* NULL if the record is no aggregate; it is the user's own then. */
static Unpacked *
open_record(KinesisRecord *record)
{
	Unpacked   *unpacked;
	Aggregate	aggregate;
	const char *data;
	size_t		bytes;

	if (record->data_bytes < sizeof(KINESIS_AGGREGATE_BASE64) - 1 ||
		memcmp(record->data, KINESIS_AGGREGATE_BASE64,
			   sizeof(KINESIS_AGGREGATE_BASE64) - 1) != 0 ||
		!kinesis_record_data(record, &data, &bytes) ||
		!aggregate_open(&aggregate, data, bytes))
		return NULL;

	unpacked = palloc(sizeof(Unpacked));
	unpacked->aggregate = aggregate;
	unpacked->partition_keys = palloc(aggregate.n_partition_keys *
									  sizeof(AggregateSlice));
	unpacked->explicit_hash_keys = palloc(aggregate.n_explicit_hash_keys *
										  sizeof(AggregateSlice));
	aggregate_keys(&aggregate, unpacked->partition_keys,
				   unpacked->explicit_hash_keys);
	return keys_are_text(unpacked->partition_keys,
						 aggregate.n_partition_keys) ? unpacked : NULL;
}

/* Write the sub-records of a record to out, which has room for them. */
static void
unpack_record(const KinesisRecord *record, Unpacked *unpacked,
			  KinesisRecord *out)
{
	int			n = unpacked->aggregate.n_records;
	AggregateRecord sub;

	for (int i = 0; i < n && aggregate_next(&unpacked->aggregate, &sub); i++)
	{
		const AggregateSlice *key =
			&unpacked->partition_keys[sub.partition_key];

		out[i] = *record;
		out[i].data = unconstify(char *, sub.data.start);
		out[i].data_bytes = sub.data.len;
		out[i].partition_key = key->start;
		out[i].partition_key_bytes = key->len;
		out[i].key_escaped = false;
		out[i].sub_sequence = i;
		out[i].more_follow = i < n - 1;
		if (sub.explicit_hash_key >= 0)
		{
			key = &unpacked->explicit_hash_keys[sub.explicit_hash_key];
			out[i].explicit_hash_key = key->start;
			out[i].explicit_hash_key_digits = key->len;
		}
	}
}

void
kinesis_page_unpack(KinesisPage *page)
{
	MemoryContext old;
	MemoryContext cxt;
	Unpacked  **unpacked;
	KinesisRecord *records;
	int64		n = 0;

	if (!page->maybe_aggregated)
		return;

	cxt = AllocSetContextCreate(CurrentMemoryContext, "tracking_fdw unpacking",
								ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(cxt);
	unpacked = palloc(page->n_records * sizeof(Unpacked *));
	for (int i = 0; i < page->n_records; i++)
	{
		unpacked[i] = open_record(&page->records[i]);
		n += unpacked[i] == NULL ? 1 : unpacked[i]->aggregate.n_records;
	}

	records = kinesis_page_records(page, n);
	n = 0;
	for (int i = 0; i < page->n_records; i++)
	{
		if (unpacked[i] == NULL)
			records[n++] = page->records[i];
		else
		{
			unpack_record(&page->records[i], unpacked[i], &records[n]);
			n += unpacked[i]->aggregate.n_records;
		}
	}
	buffer_free(page->records);
	page->records = records;
	page->n_records = n;
	page->bytes += n * sizeof(KinesisRecord);

	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
}
