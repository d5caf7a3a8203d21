/*
 * gap.c
 *	  Gaps in tracking.gap.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "sink/catalog.h"
#include "sink/gap.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static CatalogStatement keep_statement = {
	"insert into tracking.gap (pipeline, shard_id, from_position,"
	" to_position, from_time, to_time) values ($1, $2, $3, $4, $5, $6)",
	6, {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID},
	NULL
};

static CatalogStatement expire_statement = {
	"with gone as (select shard_id, position, read_until, now() -"
	" $3::float8 * interval '1 microsecond' as dropped"
	" from tracking.checkpoint"
	" where pipeline = $1 and position <> 'SHARD_END' and shard_id <> all ($2)"
	" and read_until < now() - $3::float8 * interval '1 microsecond'"
	" for update),"
	" ended as (update tracking.checkpoint c set position = 'SHARD_END',"
	" millis_behind_latest = 0, updated_at = clock_timestamp()"
	" from gone where c.pipeline = $1 and c.shard_id = gone.shard_id)"
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
