/*
 * dead_letter.c
 *	  Records that could not be applied, in tracking.dead_letter.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "ledger/catalog.h"
#include "ledger/dead_letter.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

static CatalogStatement keep_statement = {
	"insert into tracking.dead_letter"
	" (pipeline, stream, shard_id, sequence_number, sub_sequence_number,"
	" partition_key, approximate_arrival_timestamp, data, sqlstate, reason,"
	" load)"
	" values ($1, $2, $3, $4::pg_catalog.numeric,"
	" case when $5 operator(pg_catalog.>=) 0 then $5 end,"
	" $6, $7, $8, $9, $10,"
	" case when $11 operator(pg_catalog.<>) 0 then $11 end)",
	11, {TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TEXTOID, TIMESTAMPTZOID,
	BYTEAOID, TEXTOID, TEXTOID, INT8OID}, NULL
};

static CatalogStatement load_statement = {
	"select id, stream, shard_id, sequence_number::pg_catalog.text,"
	" partition_key, approximate_arrival_timestamp, data,"
	" coalesce(sub_sequence_number, -1)::pg_catalog.int4"
	" from tracking.dead_letter where pipeline operator(pg_catalog.=) $1"
	" and id operator(pg_catalog.=) any ($2)"
	" order by shard_id, sequence_number, sub_sequence_number, id for update",
	2, {TEXTOID, INT8ARRAYOID}, NULL
};

static CatalogStatement again_statement = {
	"update tracking.dead_letter set sqlstate = $2, reason = $3,"
	" failed_at = pg_catalog.clock_timestamp()"
	" where id operator(pg_catalog.=) $1",
	3, {INT8OID, TEXTOID, TEXTOID}, NULL
};

static CatalogStatement delete_statement = {
	"delete from tracking.dead_letter"
	" where id operator(pg_catalog.=) any ($1)",
	1, {INT8ARRAYOID}, NULL
};

static void
keep_reject(const char *pipeline, const Batch *batch,
			const BatchReject *reject, int64 load)
{
	KinesisRecord *record = reject->record.record;
	const char *data;
	size_t		bytes;
	Datum		values[11];
	char		nulls[] = "           ";

	/* data that is not valid base64 is kept undecoded */
	(void) kinesis_record_data(record, &data, &bytes);
	values[0] = CStringGetTextDatum(pipeline);
	values[1] = CStringGetTextDatum(reject->record.stream);
	values[2] = CStringGetTextDatum(reject->record.shard_id);
	values[3] = CStringGetTextDatum(batch_sequence(batch, &reject->record));
	values[4] = Int64GetDatum(record->sub_sequence);
	values[5] = CStringGetTextDatum(kinesis_record_partition_key(record));
	values[6] = TimestampTzGetDatum(record->arrived);
	nulls[6] = record->arrived == 0 ? 'n' : ' ';
	values[7] = PointerGetDatum(cstring_to_text_with_len(data, bytes));
	values[8] = CStringGetTextDatum(unpack_sql_state(reject->sqlstate));
	values[9] = CStringGetTextDatum(reject->reason);
	values[10] = Int64GetDatum(load);
	catalog_execute(&keep_statement, values, nulls);
}

void
dead_letter_keep(const char *pipeline, const Batch *batch, int64 load)
{
	MemoryContext cxt;
	MemoryContext old;
	CatalogAccess access;
	ListCell   *cell;

	if (batch->rejects == NIL)
		return;
	catalog_begin(&access);
	cxt = AllocSetContextCreate(CurrentMemoryContext,
								"tracking_fdw dead letter",
								ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(cxt);
	foreach(cell, batch->rejects)
	{
		keep_reject(pipeline, batch, lfirst(cell), load);
		MemoryContextReset(cxt);
	}
	MemoryContextSwitchTo(old);
	catalog_end(&access);
}

/*
 * Make a record of a row of the load statement; its strings are in the current
 * context.
 */
static void
load_record(int row, KinesisRecord *record)
{
	MemoryContext cxt = CurrentMemoryContext;
	bytea	   *data = catalog_bytea(row, 7);

	record->sequence_number = catalog_text(cxt, row, 4);
	record->sequence_number_digits = strlen(record->sequence_number);
	kinesis_record_set_partition_key(record, catalog_text(cxt, row, 5));
	record->arrived = catalog_is_null(row, 6) ? 0 : catalog_time(row, 6);
	record->data_bytes = VARSIZE_ANY_EXHDR(data);
	record->data = memcpy(palloc(record->data_bytes + 1), VARDATA_ANY(data),
						  record->data_bytes);
	record->decoded = true;
	record->sub_sequence = catalog_int32(row, 8);
}

/* Add the next record of the page to the batch, and its shard if it is new. */
static void
add_to_batch(Batch *batch, KinesisPage *page, char *shard_id)
{
	int			record = page->n_records++;
	BatchSlice *slice;

	if (batch->n_shards == 0 ||
		strcmp(batch->shards[batch->n_shards - 1].shard_id, shard_id) != 0)
	{
		batch->shards[batch->n_shards].shard_id = shard_id;
		slice = &batch->slices[batch->n_slices++];
		slice->shard = batch->n_shards++;
		slice->page = page;
		slice->records = &page->records[record];
	}
	batch->slices[batch->n_slices - 1].n_records++;
}

/* Fill the batch from the n rows of the load statement. */
static void
load_rows(uint64 n, DeadLetters *letters)
{
	Batch	   *batch = letters->batch;
	KinesisPage *page = palloc0(sizeof(KinesisPage));

	batch->shards = palloc0(sizeof(BatchShard) * Max(n, 1));
	batch->slices = palloc0(sizeof(BatchSlice) * Max(n, 1));
	page->records = palloc0(sizeof(KinesisRecord) * Max(n, 1));
	letters->ids = palloc(sizeof(int64) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
	{
		letters->ids[i] = catalog_int64(i, 1);
		batch->stream = catalog_text(CurrentMemoryContext, i, 2);
		load_record(i, &page->records[i]);
		add_to_batch(batch, page,
					 catalog_text(CurrentMemoryContext, i, 3));
	}
	batch->n_records = n;
	batch_restrict(batch, 0, n);
}

void
dead_letter_load(MemoryContext cxt, const char *pipeline, Datum ids,
				 DeadLetters *letters)
{
	Datum		values[] = {CStringGetTextDatum(pipeline), ids};
	MemoryContext batch_cxt = AllocSetContextCreate(cxt,
													"tracking_fdw replay",
													ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	CatalogAccess access;
	uint64		n;

	letters->batch = MemoryContextAllocZero(batch_cxt, sizeof(Batch));
	letters->batch->cxt = batch_cxt;
	catalog_begin(&access);
	n = catalog_execute(&load_statement, values, NULL);
	old = MemoryContextSwitchTo(batch_cxt);
	load_rows(n, letters);
	MemoryContextSwitchTo(old);
	catalog_end(&access);
}

void
dead_letter_settle(const DeadLetters *letters)
{
	const Batch *batch = letters->batch;
	Datum	   *done = palloc(sizeof(Datum) * Max(batch->n_records, 1));
	int			n_done = 0;
	CatalogAccess access;
	Datum		deleted;
	ListCell   *cell;

	for (int64 i = 0; i < batch->n_records; i++)
	{
		if (!bms_is_member(i, batch->rejected))
			done[n_done++] = Int64GetDatum(letters->ids[i]);
	}
	catalog_begin(&access);
	deleted = catalog_array(done, NULL, n_done, INT8OID);
	catalog_execute(&delete_statement, &deleted, NULL);
	foreach(cell, batch->rejects)
	{
		const BatchReject *reject = lfirst(cell);
		Datum		values[] = {
			Int64GetDatum(letters->ids[reject->record.ordinal]),
			CStringGetTextDatum(unpack_sql_state(reject->sqlstate)),
			CStringGetTextDatum(reject->reason)
		};

		catalog_execute(&again_statement, values, NULL);
	}
	catalog_end(&access);
}
