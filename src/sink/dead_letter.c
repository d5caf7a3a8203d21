/*
 * dead_letter.c
 *	  Rejects of a batch, on their way into tracking.dead_letter.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "sink/catalog.h"
#include "sink/dead_letter.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static CatalogStatement keep_statement = {
	"insert into tracking.dead_letter"
	" (pipeline, stream, shard_id, sequence_number, sub_sequence_number,"
	" partition_key, approximate_arrival_timestamp, data, sqlstate, reason)"
	" values ($1, $2, $3, $4::numeric, nullif($5, -1), $6, $7, $8, $9, $10)",
	10, {TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TEXTOID, TIMESTAMPTZOID,
	BYTEAOID, TEXTOID, TEXTOID}, NULL
};

void
dead_letter_keep(const char *pipeline, const Batch *batch)
{
	CatalogAccess access;
	ListCell   *cell;

	if (batch->rejects == NIL)
		return;
	catalog_begin(&access);
	foreach(cell, batch->rejects)
	{
		const BatchReject *reject = lfirst(cell);
		KinesisRecord *record = reject->record.record;
		const char *data;
		size_t		bytes;
		Datum		values[10];

		/* what was not even base64 is kept as it came */
		(void) kinesis_record_data(record, &data, &bytes);
		values[0] = CStringGetTextDatum(pipeline);
		values[1] = CStringGetTextDatum(reject->record.stream);
		values[2] = CStringGetTextDatum(reject->record.shard_id);
		values[3] = CStringGetTextDatum(kinesis_record_sequence(record));
		values[4] = Int64GetDatum(record->sub_sequence);
		values[5] = CStringGetTextDatum(kinesis_record_partition_key(record));
		values[6] = TimestampTzGetDatum(record->arrived);
		values[7] = PointerGetDatum(cstring_to_text_with_len(data, bytes));
		values[8] = CStringGetTextDatum(unpack_sql_state(reject->sqlstate));
		values[9] = CStringGetTextDatum(reject->reason);
		catalog_execute(&keep_statement, values, NULL);
	}
	catalog_end(&access);
}
