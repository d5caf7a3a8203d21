/*
 * gap.c
 *	  The rows of tracking.gap.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "ledger/catalog.h"
#include "ledger/gap.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static CatalogStatement keep_statement = {
	"insert into tracking.gap (pipeline, shard_id, from_position,"
	" to_position, from_time, to_time) values ($1, $2, $3, $4, $5, $6)",
	6, {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID},
	NULL
};

static CatalogStatement expire_statement = {
	"with gone as (select shard_id, position, read_until,"
	" pg_catalog.now() operator(pg_catalog.-) ($3::pg_catalog.float8"
	" operator(pg_catalog.*) pg_catalog.interval '1 microsecond') as dropped"
	" from tracking.checkpoint where pipeline operator(pg_catalog.=) $1"
	" and position operator(pg_catalog.<>) 'SHARD_END'"
	" and shard_id operator(pg_catalog.<>) all ($2)"
	" and read_until operator(pg_catalog.<) (pg_catalog.now()"
	" operator(pg_catalog.-) ($3::pg_catalog.float8 operator(pg_catalog.*)"
	" pg_catalog.interval '1 microsecond'))"
	" for update),"
	" ended as (update tracking.checkpoint c set position = 'SHARD_END',"
	" millis_behind_latest = 0, updated_at = pg_catalog.clock_timestamp()"
	" from gone where c.pipeline operator(pg_catalog.=) $1"
	" and c.shard_id operator(pg_catalog.=) gone.shard_id)"
	" insert into tracking.gap (pipeline, shard_id, from_position,"
	" to_position, from_time, to_time)"
	" select $1, shard_id, position, 'SHARD_END', read_until, dropped"
	" from gone",
	3, {TEXTOID, TEXTARRAYOID, INT8OID}, NULL
};

void
gap_keep(const char *pipeline, const Batch *batch)
{
	CatalogAccess access;
	ListCell   *cell;

	catalog_begin(&access);
	foreach(cell, batch->gaps)
	{
		const StreamGap *gap = lfirst(cell);
		char	   *from = position_to_text(&gap->from);
		char	   *to = position_to_text(&gap->to);
		bool		is_open = strcmp(from, to) == 0;
		char		nulls[] = {
			' ', ' ', ' ', is_open ? 'n' : ' ',
			gap->from_time == 0 ? 'n' : ' ', ' ', '\0'
		};
		Datum		values[] = {
			CStringGetTextDatum(pipeline),
			CStringGetTextDatum(gap->shard_id),
			CStringGetTextDatum(from),
			CStringGetTextDatum(to),
			TimestampTzGetDatum(gap->from_time),
			TimestampTzGetDatum(gap->to_time)
		};

		catalog_execute(&keep_statement, values, nulls);
	}
	catalog_end(&access);
}

uint64
gap_expire_shards(const char *pipeline, List *shards, int64 retention_us)
{
	int			n = list_length(shards);
	Datum	   *ids = palloc(Max(n, 1) * sizeof(Datum));
	Datum		values[3];
	CatalogAccess access;
	uint64		n_gaps;

	for (int i = 0; i < n; i++)
	{
		const KinesisShard *shard = list_nth(shards, i);

		ids[i] = CStringGetTextDatum(shard->shard_id);
	}
	values[0] = CStringGetTextDatum(pipeline);
	values[1] = catalog_array(ids, NULL, n, TEXTOID);
	values[2] = Int64GetDatum(retention_us);
	catalog_begin(&access);
	n_gaps = catalog_execute(&expire_statement, values, NULL);
	catalog_end(&access);
	return n_gaps;
}
