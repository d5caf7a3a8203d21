/*
 * checkpoint.c
 *	  Positions in tracking.checkpoint.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "sink/catalog.h"
#include "sink/checkpoint.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static CatalogStatement load_statement = {
	"select shard_id, parent_shard_ids, position, coalesce(worker, -1)"
	" from tracking.checkpoint where pipeline = $1 order by shard_id",
	1, {TEXTOID}, NULL
};

static CatalogStatement add_statement = {
	"insert into tracking.checkpoint"
	" (pipeline, shard_id, parent_shard_ids, position)"
	" select $1, $2, $3, $4"
	/* looked at first, as the conflict with a row in change would wait */
	" where not exists (select from tracking.checkpoint"
	" where pipeline = $1 and shard_id = $2)"
	" on conflict (pipeline, shard_id) do nothing",
	4, {TEXTOID, TEXTOID, TEXTARRAYOID, TEXTOID}, NULL
};

static CatalogStatement spread_statement = {
	"update tracking.checkpoint c set worker = s.worker"
	" from (select shard_id, (row_number() over (order by shard_id) - 1) % $2"
	" as worker from tracking.checkpoint"
	" where pipeline = $1 and position <> 'SHARD_END') s"
	" where c.pipeline = $1 and c.shard_id = s.shard_id"
	" and c.worker is distinct from s.worker",
	2, {TEXTOID, INT4OID}, NULL
};

static CatalogStatement assign_statement = {
	"update tracking.checkpoint c set worker = coalesce("
	"(select p.worker from tracking.checkpoint p where p.pipeline = $1"
	" and p.shard_id = c.parent_shard_ids[1]),"
	" abs(hashtext(c.shard_id)::bigint) % $2)"
	" where c.pipeline = $1 and c.worker is null",
	2, {TEXTOID, INT4OID}, NULL
};

static CatalogStatement advance_statement = {
	"update tracking.checkpoint c"
	" set position = b.new_position,"
	" records = c.records + b.records,"
	" bytes = c.bytes + b.bytes,"
	" last_arrival = greatest(c.last_arrival, b.last_arrival),"
	" millis_behind_latest = b.millis_behind_latest,"
	" updated_at = clock_timestamp()"
	" from unnest($2, $3, $4, $5, $6, $7, $8) as b(shard_id, old_position,"
	" new_position, records, bytes, last_arrival, millis_behind_latest)"
	" where c.pipeline = $1 and c.shard_id = b.shard_id"
	" and c.position = b.old_position",
	8, {TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID,
	INT8ARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID}, NULL
};

static CatalogStatement count_statement = {
	"update tracking.checkpoint c"
	" set dead_letters = c.dead_letters + b.n"
	" from unnest($2, $3) as b(shard_id, n)"
	" where c.pipeline = $1 and c.shard_id = b.shard_id and b.n > 0",
	3, {TEXTOID, TEXTARRAYOID, INT8ARRAYOID}, NULL
};

static CatalogStatement reset_statement = {
	"update tracking.checkpoint set position = $3, millis_behind_latest = null"
	" where pipeline = $1 and ($2 is null or shard_id = $2)",
	3, {TEXTOID, TEXTOID, TEXTOID}, NULL
};

/* A row of the load statement. */
static CheckpointShard *
read_shard(MemoryContext cxt, const char *pipeline, int row)
{
	CheckpointShard *shard = MemoryContextAllocZero(cxt,
													sizeof(CheckpointShard));
	char	   *position = catalog_text(cxt, row, 3);
	bool		isnull;
	ArrayType  *parents = DatumGetArrayTypeP(catalog_datum(row, 2, &isnull));
	Datum	   *ids;
	int			n_ids;

	shard->shard.shard_id = catalog_text(cxt, row, 1);
	shard->worker = DatumGetInt32(catalog_datum(row, 4, &isnull));
	deconstruct_array(parents, TEXTOID, -1, false, TYPALIGN_INT, &ids, NULL,
					  &n_ids);
	if (n_ids > 0)
		shard->shard.parent_shard_id =
			MemoryContextStrdup(cxt, TextDatumGetCString(ids[0]));
	if (n_ids > 1)
		shard->shard.adjacent_parent_shard_id =
			MemoryContextStrdup(cxt, TextDatumGetCString(ids[1]));
	if (!position_from_text(position, &shard->position))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("pipeline \"%s\" has no valid position for shard \"%s\"",
						pipeline, shard->shard.shard_id),
				 errdetail("tracking.checkpoint says \"%s\".", position),
				 errhint("Set it with tracking.reset_pipeline().")));
	return shard;
}

List *
checkpoint_load(const char *pipeline)
{
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext old;
	Datum		values[] = {CStringGetTextDatum(pipeline)};
	CatalogAccess access;
	List	   *shards = NIL;
	uint64		n;

	catalog_begin(&access);
	n = catalog_execute(&load_statement, values, NULL);
	for (uint64 i = 0; i < n; i++)
	{
		CheckpointShard *shard = read_shard(cxt, pipeline, i);

		old = MemoryContextSwitchTo(cxt);
		shards = lappend(shards, shard);
		MemoryContextSwitchTo(old);
	}
	catalog_end(&access);
	return shards;
}

static Datum
parents_datum(const KinesisShard *shard)
{
	Datum		ids[2];
	int			n = 0;

	if (shard->parent_shard_id != NULL)
		ids[n++] = CStringGetTextDatum(shard->parent_shard_id);
	if (shard->adjacent_parent_shard_id != NULL)
		ids[n++] = CStringGetTextDatum(shard->adjacent_parent_shard_id);
	return PointerGetDatum(construct_array(ids, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

void
checkpoint_add(const char *pipeline, List *shards,
			   const StreamPosition *first)
{
	bool		empty = checkpoint_load(pipeline) == NIL;
	StreamPosition beginning = {.kind = POSITION_TRIM_HORIZON};
	char	   *position = position_to_text(empty ? first : &beginning);
	CatalogAccess access;
	ListCell   *cell;

	catalog_begin(&access);
	foreach(cell, shards)
	{
		const KinesisShard *shard = lfirst(cell);
		Datum		values[] = {
			CStringGetTextDatum(pipeline),
			CStringGetTextDatum(shard->shard_id),
			parents_datum(shard),
			CStringGetTextDatum(position)
		};

		catalog_execute(&add_statement, values, NULL);
	}
	catalog_end(&access);
}

void
checkpoint_assign(const char *pipeline, int workers, bool all)
{
	Datum		values[] = {
		CStringGetTextDatum(pipeline),
		Int32GetDatum(workers)
	};
	CatalogAccess access;

	catalog_begin(&access);
	if (all)
		catalog_execute(&spread_statement, values, NULL);
	catalog_execute(&assign_statement, values, NULL);
	catalog_end(&access);
}

bool
checkpoint_advance(const char *pipeline, const Batch *batch)
{
	enum
	{
		SHARD_ID, FROM, TO, RECORDS, BYTES, ARRIVAL, BEHIND, N_COLUMNS
	};
	static const Oid types[N_COLUMNS] = {
		TEXTOID, TEXTOID, TEXTOID, INT8OID, INT8OID, TIMESTAMPTZOID, INT8OID
	};
	int			n = batch->n_shards;
	Datum	   *columns[N_COLUMNS];
	bool	   *no_arrival = palloc(n * sizeof(bool));
	Datum		values[N_COLUMNS + 1];
	CatalogAccess access;
	uint64		moved;

	for (int c = 0; c < N_COLUMNS; c++)
		columns[c] = palloc(n * sizeof(Datum));
	for (int i = 0; i < n; i++)
	{
		const BatchShard *shard = &batch->shards[i];

		columns[SHARD_ID][i] = CStringGetTextDatum(shard->shard_id);
		columns[FROM][i] = CStringGetTextDatum(position_to_text(&shard->from));
		columns[TO][i] = CStringGetTextDatum(position_to_text(&shard->to));
		columns[RECORDS][i] = Int64GetDatum(shard->n_records);
		columns[BYTES][i] = Int64GetDatum(shard->bytes);
		columns[ARRIVAL][i] = TimestampTzGetDatum(shard->last_arrival);
		no_arrival[i] = shard->n_records == 0;
		columns[BEHIND][i] = Int64GetDatum(shard->millis_behind_latest);
	}
	values[0] = CStringGetTextDatum(pipeline);
	for (int c = 0; c < N_COLUMNS; c++)
		values[c + 1] = catalog_array(columns[c], c == ARRIVAL ? no_arrival : NULL,
								 n, types[c]);

	catalog_begin(&access);
	moved = catalog_execute(&advance_statement, values, NULL);
	catalog_end(&access);
	return moved == (uint64) n;
}

void
checkpoint_count_dead_letters(const char *pipeline, const Batch *batch)
{
	int			n = batch->n_shards;
	Datum	   *ids = palloc(n * sizeof(Datum));
	Datum	   *counts = palloc0(n * sizeof(Datum));
	Datum		values[3];
	CatalogAccess access;
	ListCell   *cell;

	for (int i = 0; i < n; i++)
		ids[i] = CStringGetTextDatum(batch->shards[i].shard_id);
	foreach(cell, batch->rejects)
	{
		const BatchReject *reject = lfirst(cell);
		int			i = 0;

		while (strcmp(batch->shards[i].shard_id, reject->record.shard_id) != 0)
			i++;
		counts[i] = Int64GetDatum(DatumGetInt64(counts[i]) + 1);
	}
	values[0] = CStringGetTextDatum(pipeline);
	values[1] = catalog_array(ids, NULL, n, TEXTOID);
	values[2] = catalog_array(counts, NULL, n, INT8OID);
	catalog_begin(&access);
	catalog_execute(&count_statement, values, NULL);
	catalog_end(&access);
}

uint64
checkpoint_reset(const char *pipeline, const char *shard_id,
				 const StreamPosition *position)
{
	Datum		values[] = {
		CStringGetTextDatum(pipeline),
		shard_id == NULL ? (Datum) 0 : CStringGetTextDatum(shard_id),
		CStringGetTextDatum(position_to_text(position))
	};
	char		nulls[] = {' ', shard_id == NULL ? 'n' : ' ', ' ', '\0'};
	CatalogAccess access;
	uint64		n;

	catalog_begin(&access);
	n = catalog_execute(&reset_statement, values, nulls);
	catalog_end(&access);
	return n;
}
