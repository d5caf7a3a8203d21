/*
 * load_ledger.c
 *	  The rows of tracking.load.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "ledger/catalog.h"
#include "ledger/load_ledger.h"
#include "utils/builtins.h"

/*
 * before has the rows of tracking.checkpoint that abandon_statement puts back
 * if the store does not commit; it is kept until the store has.
 */
static CatalogStatement begin_statement = {
	"insert into tracking.load (pipeline, store, state, records, shard_ids,"
	" first_positions, last_positions, before)"
	" select $1, $2, 'committing', $3, $4, $5, $6,"
	" (select pg_catalog.jsonb_agg(pg_catalog.to_jsonb(c))"
	" from tracking.checkpoint c where c.pipeline operator(pg_catalog.=) $1"
	" and c.shard_id operator(pg_catalog.=) any ($4)) returning id",
	6, {TEXTOID, TEXTOID, INT8OID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID},
	NULL
};

static CatalogStatement committing_statement = {
	"update tracking.load set rows = $2, dead_letters = $3, files = $4,"
	" bytes = $5,"
	" remote_query = case when $6 operator(pg_catalog.<>) '' then $6 end"
	" where id operator(pg_catalog.=) $1",
	6, {INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, TEXTOID}, NULL
};

static CatalogStatement done_statement = {
	"update tracking.load set state = 'done', before = null,"
	" ended_at = pg_catalog.clock_timestamp()"
	" where id operator(pg_catalog.=) $1",
	1, {INT8OID}, NULL
};

static CatalogStatement settle_statement = {
	"update tracking.load l set state = 'done', before = null,"
	" ended_at = pg_catalog.clock_timestamp()"
	" where l.pipeline operator(pg_catalog.=) $1"
	" and l.state operator(pg_catalog.=) 'committing' and not exists"
	" (select from rows from (pg_catalog.unnest(l.shard_ids),"
	" pg_catalog.unnest(l.first_positions),"
	" pg_catalog.unnest(l.last_positions)) as s(shard_id, first, last)"
	" left join rows from (pg_catalog.unnest($2), pg_catalog.unnest($3))"
	" as r(shard_id, position)"
	" on r.shard_id operator(pg_catalog.=) s.shard_id"
	" where s.first operator(pg_catalog.<>) s.last"
	" and (r.position operator(pg_catalog.=) s.last) is not true)",
	3, {TEXTOID, TEXTARRAYOID, TEXTARRAYOID}, NULL
};

static CatalogStatement abandon_statement = {
	"with gone as (update tracking.load set state = 'abandoned',"
	" ended_at = pg_catalog.clock_timestamp()"
	" where pipeline operator(pg_catalog.=) $1"
	" and state operator(pg_catalog.=) 'committing' returning id, before),"
	" letters as (delete from tracking.dead_letter"
	" where load operator(pg_catalog.=) any (select id from gone)),"
	" history as (delete from tracking.batch"
	" where load operator(pg_catalog.=) any (select id from gone))"
	" update tracking.checkpoint c set position = b.position,"
	" records = b.records, dead_letters = b.dead_letters, empty = b.empty,"
	" bytes = b.bytes, last_arrival = b.last_arrival,"
	" read_until = b.read_until,"
	" millis_behind_latest = b.millis_behind_latest"
	" from gone, pg_catalog.jsonb_populate_recordset("
	"null::tracking.checkpoint, gone.before) b"
	" where c.pipeline operator(pg_catalog.=) $1"
	" and c.shard_id operator(pg_catalog.=) b.shard_id",
	1, {TEXTOID}, NULL
};

/*
 * Somebody may have set the store's position back to records before
 * read_until, so that is not valid for it.
 */
static CatalogStatement adopt_statement = {
	"insert into tracking.checkpoint as c (pipeline, shard_id, position)"
	" select $1, r.shard_id, r.position"
	" from rows from (pg_catalog.unnest($2), pg_catalog.unnest($3))"
	" as r(shard_id, position)"
	" where not exists (select from tracking.checkpoint h"
	" where h.pipeline operator(pg_catalog.=) $1"
	" and h.shard_id operator(pg_catalog.=) r.shard_id"
	" and h.position operator(pg_catalog.=) r.position)"
	" on conflict (pipeline, shard_id) do update"
	" set position = excluded.position, read_until = null",
	3, {TEXTOID, TEXTARRAYOID, TEXTARRAYOID}, NULL
};

static CatalogStatement prune_statement = {
	"delete from tracking.load where pipeline operator(pg_catalog.=) $1"
	" and state operator(pg_catalog.<>) 'committing'"
	" and id operator(pg_catalog.<=) (select id from tracking.load"
	" where pipeline operator(pg_catalog.=) $1"
	" order by id desc offset $2 limit 1)",
	2, {TEXTOID, INT4OID}, NULL
};

int64
load_ledger_begin(const char *pipeline, const char *store,
				  const Batch *batch)
{
	int			n = batch->n_shards;
	Datum	   *ids = palloc(n * sizeof(Datum));
	Datum	   *from = palloc(n * sizeof(Datum));
	Datum	   *to = palloc(n * sizeof(Datum));
	Datum		values[6];
	CatalogAccess access;
	int64		load;

	for (int i = 0; i < n; i++)
	{
		const BatchShard *shard = &batch->shards[i];

		ids[i] = CStringGetTextDatum(shard->shard_id);
		from[i] = CStringGetTextDatum(position_to_text(&shard->from));
		to[i] = CStringGetTextDatum(position_to_text(&shard->to));
	}
	values[0] = CStringGetTextDatum(pipeline);
	values[1] = CStringGetTextDatum(store);
	values[2] = Int64GetDatum(batch->n_records);
	values[3] = catalog_array(ids, NULL, n, TEXTOID);
	values[4] = catalog_array(from, NULL, n, TEXTOID);
	values[5] = catalog_array(to, NULL, n, TEXTOID);
	catalog_begin(&access);
	catalog_execute(&begin_statement, values, NULL);
	load = catalog_int64(0, 1);
	catalog_end(&access);
	return load;
}

void
load_ledger_committing(int64 load, const Batch *batch, uint64 rows,
					   const StoreLoadStats *stats)
{
	Datum		values[6] = {
		Int64GetDatum(load),
		Int64GetDatum((int64) rows),
		Int64GetDatum(list_length(batch->rejects)),
		Int64GetDatum(stats->files),
		Int64GetDatum(stats->bytes),
		CStringGetTextDatum(stats->query_id)
	};
	CatalogAccess access;

	catalog_begin(&access);
	catalog_execute(&committing_statement, values, NULL);
	catalog_end(&access);
}

void
load_ledger_done(int64 load)
{
	Datum		value = Int64GetDatum(load);
	CatalogAccess access;

	catalog_begin(&access);
	catalog_execute(&done_statement, &value, NULL);
	catalog_end(&access);
}

int64
load_ledger_resolve(const char *pipeline, List *positions)
{
	int			n = list_length(positions);
	Datum	   *ids = palloc(Max(n, 1) * sizeof(Datum));
	Datum	   *texts = palloc(Max(n, 1) * sizeof(Datum));
	Datum		values[3];
	CatalogAccess access;
	int64		adopted;

	for (int i = 0; i < n; i++)
	{
		const StorePosition *position = list_nth(positions, i);

		ids[i] = CStringGetTextDatum(position->shard_id);
		texts[i] = CStringGetTextDatum(position->position);
	}
	values[0] = CStringGetTextDatum(pipeline);
	values[1] = catalog_array(ids, NULL, n, TEXTOID);
	values[2] = catalog_array(texts, NULL, n, TEXTOID);
	catalog_begin(&access);
	catalog_execute(&settle_statement, values, NULL);
	catalog_execute(&abandon_statement, values, NULL);
	adopted = catalog_execute(&adopt_statement, values, NULL);
	catalog_end(&access);
	return adopted;
}

void
load_ledger_prune(const char *pipeline, int keep)
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
