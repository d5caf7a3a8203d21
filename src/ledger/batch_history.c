/*
 * batch_history.c
 *	  The rows of tracking.batch.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "ledger/batch_history.h"
#include "ledger/catalog.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static CatalogStatement add_statement = {
	"insert into tracking.batch (pipeline, records, bytes, rows, dead_letters,"
	" shard_ids, first_positions, last_positions, first_arrival,"
	" last_arrival, fetch_ms, apply_ms, latency, load, empty)"
	" values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
	" pg_catalog.clock_timestamp() operator(pg_catalog.-) $9,"
	" case when $13 operator(pg_catalog.<>) 0 then $13 end, $14)",
	14, {TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID, TEXTARRAYOID,
		TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID,
	INT8OID, INT8OID, INT8OID}, NULL
};

static CatalogStatement prune_statement = {
	"delete from tracking.batch where pipeline operator(pg_catalog.=) $1"
	" and id operator(pg_catalog.<=) (select id from tracking.batch"
	" where pipeline operator(pg_catalog.=) $1"
	" order by id desc offset $2 limit 1)",
	2, {TEXTOID, INT4OID}, NULL
};

void
batch_history_add(const char *pipeline, const Batch *batch, uint64 rows,
				  int64 apply_ms, int64 load)
{
	int			n = batch->n_shards;
	Datum	   *ids = palloc(n * sizeof(Datum));
	Datum	   *from = palloc(n * sizeof(Datum));
	Datum	   *to = palloc(n * sizeof(Datum));
	int64		bytes = 0;
	TimestampTz first = 0;
	TimestampTz last = 0;
	char		nulls[] = "              ";
	Datum		values[14];
	CatalogAccess access;

	for (int i = 0; i < n; i++)
	{
		const BatchShard *shard = &batch->shards[i];

		ids[i] = CStringGetTextDatum(shard->shard_id);
		from[i] = CStringGetTextDatum(position_to_text(&shard->from));
		to[i] = CStringGetTextDatum(position_to_text(&shard->to));
		bytes += shard->bytes;
		if (shard->n_records == 0)
			continue;
		if (first == 0 || shard->first_arrival < first)
			first = shard->first_arrival;
		last = Max(last, shard->last_arrival);
	}
	values[0] = CStringGetTextDatum(pipeline);
	values[1] = Int64GetDatum(batch->n_records);
	values[2] = Int64GetDatum(bytes);
	values[3] = Int64GetDatum(rows);
	values[4] = Int64GetDatum(list_length(batch->rejects));
	values[5] = catalog_array(ids, NULL, n, TEXTOID);
	values[6] = catalog_array(from, NULL, n, TEXTOID);
	values[7] = catalog_array(to, NULL, n, TEXTOID);
	values[8] = TimestampTzGetDatum(first);
	values[9] = TimestampTzGetDatum(last);
	values[10] = Int64GetDatum(batch->fetch_ms);
	values[11] = Int64GetDatum(apply_ms);
	values[12] = Int64GetDatum(load);
	values[13] = Int64GetDatum(bms_num_members(batch->empty));
	if (batch->n_records == 0)
		nulls[8] = nulls[9] = 'n';
	catalog_begin(&access);
	catalog_execute(&add_statement, values, nulls);
	catalog_end(&access);
}

void
batch_history_prune(const char *pipeline, int keep)
{
	Datum		values[] = {
		CStringGetTextDatum(pipeline),
		Int32GetDatum(keep)
	};
	CatalogAccess access;

	catalog_begin(&access);
	catalog_execute(&prune_statement, values, NULL);
	catalog_end(&access);
}
