/*
 * checkpoint.c
 *	  Positions in tracking.checkpoint.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "ledger/catalog.h"
#include "ledger/checkpoint.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static CatalogStatement load_statement = {
	"select l.n::pg_catalog.int4, c.position, c.read_until,"
	" $3 operator(pg_catalog.>=) 0 and exists"
	" (select from tracking.checkpoint p"
	" where p.pipeline operator(pg_catalog.=) $1"
	" and p.shard_id operator(pg_catalog.=) any (c.parent_shard_ids)"
	" and (p.worker operator(pg_catalog.=) $3) is not true"
	" and p.position operator(pg_catalog.<>) 'SHARD_END'),"
	" coalesce(c.millis_behind_latest operator(pg_catalog.=) 0, false),"
	" c.tip_at, c.late_since, c.unreachable_since, c.unreachable_reason"
	" from pg_catalog.unnest($2) with ordinality as l(shard_id, n)"
	" join tracking.checkpoint c"
	" on c.shard_id operator(pg_catalog.=) l.shard_id"
	" where c.pipeline operator(pg_catalog.=) $1"
	" and ($3 operator(pg_catalog.<) 0"
	" or c.worker operator(pg_catalog.=) $3) order by l.n",
	3, {TEXTOID, TEXTARRAYOID, INT4OID}, NULL
};

/*
 * read_until of a new shard is the time from which records in it may be
 * missed.  For a pipeline that begins it is the time asked for as start ($6),
 * or now; for a shard that a running pipeline finds ($5 is null), now.  A
 * shard that was created while no worker ran has records that arrived after
 * its parents were last read: the smallest read_until of its parents.  But a
 * parent that the stream still lists counts only if it was read within the
 * retention ($7), as the new shard is not older than that.
 */
static CatalogStatement add_statement = {
	"with has as (select exists (select from tracking.checkpoint"
	" where pipeline operator(pg_catalog.=) $1) as any)"
	" insert into tracking.checkpoint"
	" (pipeline, shard_id, parent_shard_ids, position, read_until)"
	" select $1, l.shard_id,"
	" pg_catalog.array_remove(array[l.parent, l.adjacent], null),"
	" case when has.any then 'TRIM_HORIZON' else $5 end,"
	" case when not has.any then least($6, pg_catalog.now())"
	" when $5 is null then pg_catalog.now()"
	" else coalesce((select pg_catalog.min(p.read_until)"
	" from tracking.checkpoint p"
	" where p.pipeline operator(pg_catalog.=) $1"
	" and (p.shard_id operator(pg_catalog.=) l.parent"
	" or p.shard_id operator(pg_catalog.=) l.adjacent)"
	" and (p.shard_id operator(pg_catalog.<>) all ($2)"
	" or p.read_until operator(pg_catalog.>=)"
	" (pg_catalog.now() operator(pg_catalog.-)"
	" ($7::pg_catalog.float8 operator(pg_catalog.*)"
	" pg_catalog.interval '1 microsecond')))), pg_catalog.now()) end"
	" from has, rows from (pg_catalog.unnest($2), pg_catalog.unnest($3),"
	" pg_catalog.unnest($4)) as l(shard_id, parent, adjacent)"
	" where (has.any or $5 is not null)"
	/* ON CONFLICT alone would wait for a transaction that changes the row */
	" and not exists (select from tracking.checkpoint c"
	" where c.pipeline operator(pg_catalog.=) $1"
	" and c.shard_id operator(pg_catalog.=) l.shard_id)"
	" on conflict (pipeline, shard_id) do nothing",
	7, {TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTOID,
	TIMESTAMPTZOID, INT8OID}, NULL
};

static CatalogStatement spread_statement = {
	"update tracking.checkpoint c set worker = s.worker"
	" from (select shard_id, (pg_catalog.row_number() over (order by shard_id)"
	" operator(pg_catalog.-) 1) operator(pg_catalog.%) $2"
	" as worker from tracking.checkpoint"
	" where pipeline operator(pg_catalog.=) $1"
	" and position operator(pg_catalog.<>) 'SHARD_END') s"
	" where c.pipeline operator(pg_catalog.=) $1"
	" and c.shard_id operator(pg_catalog.=) s.shard_id"
	" and (c.worker operator(pg_catalog.=) s.worker) is not true",
	2, {TEXTOID, INT4OID}, NULL
};

static CatalogStatement assign_statement = {
	"update tracking.checkpoint c set worker = coalesce("
	"(select p.worker from tracking.checkpoint p"
	" where p.pipeline operator(pg_catalog.=) $1"
	" and p.shard_id operator(pg_catalog.=) c.parent_shard_ids[1]),"
	" pg_catalog.abs(pg_catalog.hashtext(c.shard_id)::pg_catalog.int8)"
	" operator(pg_catalog.%) $2)"
	" where c.pipeline operator(pg_catalog.=) $1 and c.worker is null",
	2, {TEXTOID, INT4OID}, NULL
};

/*
 * The counts of a shard's recent records are halved at the next batch once
 * they have reached a thousand.
 */
#define RECENT_DIVISOR \
	" case when c.recent_records operator(pg_catalog.>=) 1000 then 2 else 1 end"

static CatalogStatement advance_statement = {
	"update tracking.checkpoint c"
	" set position = b.new_position,"
	" records = c.records operator(pg_catalog.+) b.records,"
	" bytes = c.bytes operator(pg_catalog.+) b.bytes,"
	" last_arrival = greatest(c.last_arrival, b.last_arrival),"
	" millis_behind_latest = b.millis_behind_latest,"
	" read_until = coalesce(b.read_until, c.read_until),"
	" tip_at = coalesce(b.tip_at, c.tip_at), late_since = b.late_since,"
	" updated_at = pg_catalog.clock_timestamp(),"
	" recent_records = b.records operator(pg_catalog.+)"
	" case when c.recent_generation operator(pg_catalog.=) $12"
	" then c.recent_records operator(pg_catalog./)"
	RECENT_DIVISOR " else 0 end,"
	" recent_dead_letters ="
	" case when c.recent_generation operator(pg_catalog.=) $12"
	" then c.recent_dead_letters operator(pg_catalog./)"
	RECENT_DIVISOR " else 0 end,"
	" recent_generation = $12"
	" from rows from (pg_catalog.unnest($2), pg_catalog.unnest($3),"
	" pg_catalog.unnest($4), pg_catalog.unnest($5), pg_catalog.unnest($6),"
	" pg_catalog.unnest($7), pg_catalog.unnest($8), pg_catalog.unnest($9),"
	" pg_catalog.unnest($10), pg_catalog.unnest($11))"
	" as b(shard_id, old_position, new_position, records, bytes,"
	" last_arrival, millis_behind_latest, read_until, tip_at, late_since)"
	" where c.pipeline operator(pg_catalog.=) $1"
	" and c.shard_id operator(pg_catalog.=) b.shard_id"
	" and c.position operator(pg_catalog.=) b.old_position"
	" and exists (select from tracking.pipeline p"
	" where p.name operator(pg_catalog.=) $1"
	" and p.generation operator(pg_catalog.=) $12)",
	12, {TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID,
		INT8ARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID,
	TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, INT8OID}, NULL
};

static CatalogStatement recent_statement = {
	"select coalesce(pg_catalog.sum(recent_records), 0)::pg_catalog.int8,"
	" coalesce(pg_catalog.sum(recent_dead_letters), 0)::pg_catalog.int8"
	" from tracking.checkpoint where pipeline operator(pg_catalog.=) $1"
	" and recent_generation operator(pg_catalog.=) $2",
	2, {TEXTOID, INT8OID}, NULL
};

static CatalogStatement count_statement = {
	"update tracking.checkpoint c"
	" set dead_letters = c.dead_letters operator(pg_catalog.+) b.dead_letters,"
	" recent_dead_letters ="
	" c.recent_dead_letters operator(pg_catalog.+) b.dead_letters,"
	" empty = c.empty operator(pg_catalog.+) b.empty"
	" from rows from (pg_catalog.unnest($2), pg_catalog.unnest($3),"
	" pg_catalog.unnest($4)) as b(shard_id, dead_letters, empty)"
	" where c.pipeline operator(pg_catalog.=) $1"
	" and c.shard_id operator(pg_catalog.=) b.shard_id"
	" and (b.dead_letters operator(pg_catalog.>) 0"
	" or b.empty operator(pg_catalog.>) 0)",
	4, {TEXTOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID}, NULL
};

static CatalogStatement reset_statement = {
	"update tracking.checkpoint set position = $3,"
	" read_until = least($4, pg_catalog.now()), millis_behind_latest = null,"
	" tip_at = null, late_since = null"
	" where pipeline operator(pg_catalog.=) $1"
	" and shard_id operator(pg_catalog.=) $2",
	4, {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, NULL
};

static CatalogStatement number_statement = {
	"select pg_catalog.count(*)::pg_catalog.int4 from tracking.checkpoint"
	" where pipeline operator(pg_catalog.=) $1",
	1, {TEXTOID}, NULL
};

static CatalogStatement clear_statement = {
	"delete from tracking.checkpoint"
	" where pipeline operator(pg_catalog.=) $1",
	1, {TEXTOID}, NULL
};

/* One member of each KinesisShard in a list, as an array of text. */
static Datum
shards_array(List *shards, size_t member)
{
	int			n = list_length(shards);
	Datum	   *values = palloc(Max(n, 1) * sizeof(Datum));
	bool	   *nulls = palloc(Max(n, 1) * sizeof(bool));

	for (int i = 0; i < n; i++)
	{
		const char *text = *(char **) ((char *) list_nth(shards, i) + member);

		nulls[i] = text == NULL;
		values[i] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
	}
	return catalog_array(values, nulls, n, TEXTOID);
}

/*
 * If the position is a time, set *since to it: a record that arrived after
 * that time counts as missed if the stream has dropped it.  Returns false for
 * any other kind of position, which does not say what the user expects.
 */
static bool
wanted_since(const StreamPosition *position, Datum *since)
{
	*since = TimestampTzGetDatum(position->timestamp);
	return position->kind == POSITION_AT_TIMESTAMP;
}

void
checkpoint_add(const char *pipeline, List *shards,
			   const StreamPosition *first, int64 retention_us)
{
	char		nulls[] = "       ";
	CatalogAccess access;
	Datum		values[7] = {
		CStringGetTextDatum(pipeline),
		shards_array(shards, offsetof(KinesisShard, shard_id)),
		shards_array(shards, offsetof(KinesisShard, parent_shard_id)),
		shards_array(shards, offsetof(KinesisShard, adjacent_parent_shard_id))
	};

	values[6] = Int64GetDatum(retention_us);
	nulls[4] = nulls[5] = 'n';
	if (first != NULL)
	{
		values[4] = CStringGetTextDatum(position_to_text(first));
		nulls[4] = ' ';
		nulls[5] = wanted_since(first, &values[5]) ? ' ' : 'n';
	}
	catalog_begin(&access);
	catalog_execute(&add_statement, values, nulls);
	catalog_end(&access);
}

static TimestampTz
time_or_none(int row, int column)
{
	return catalog_is_null(row, column) ? 0 : catalog_time(row, column);
}

/* Make a CheckpointShard of a row of the load statement. */
static CheckpointShard *
read_shard(MemoryContext cxt, const char *pipeline, List *shards, int row)
{
	CheckpointShard *checkpoint =
		MemoryContextAllocZero(cxt, sizeof(CheckpointShard));
	char	   *position = catalog_text(cxt, row, 2);

	checkpoint->shard = list_nth(shards, catalog_int32(row, 1) - 1);
	checkpoint->read_until = time_or_none(row, 3);
	checkpoint->waits = catalog_bool(row, 4);
	checkpoint->recall.at_tip = catalog_bool(row, 5);
	checkpoint->recall.tip_at = time_or_none(row, 6);
	checkpoint->recall.late_since = time_or_none(row, 7);
	checkpoint->recall.lost_since = time_or_none(row, 8);
	checkpoint->recall.lost_reason = catalog_is_null(row, 9) ? "" :
		catalog_text(cxt, row, 9);
	if (!position_from_text(position, &checkpoint->position))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("pipeline \"%s\" has no valid position for shard \"%s\"",
						pipeline, checkpoint->shard->shard_id),
				 errdetail("tracking.checkpoint says \"%s\".", position),
				 errhint("Set it with tracking.reset_pipeline().")));
	return checkpoint;
}

List *
checkpoint_load(const char *pipeline, List *shards, int worker)
{
	MemoryContext cxt = CurrentMemoryContext;
	Datum		values[] = {
		CStringGetTextDatum(pipeline),
		shards_array(shards, offsetof(KinesisShard, shard_id)),
		Int32GetDatum(worker)
	};
	CatalogAccess access;
	List	   *checkpoints = NIL;
	uint64		n;

	catalog_begin(&access);
	n = catalog_execute(&load_statement, values, NULL);
	for (uint64 i = 0; i < n; i++)
	{
		CheckpointShard *checkpoint = read_shard(cxt, pipeline, shards, i);
		MemoryContext old = MemoryContextSwitchTo(cxt);

		checkpoints = lappend(checkpoints, checkpoint);
		MemoryContextSwitchTo(old);
	}
	catalog_end(&access);
	checkpoint_wait_with_parents(checkpoints);
	return checkpoints;
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
checkpoint_advance(const char *pipeline, int64 generation,
				   const Batch *batch)
{
	enum
	{
		SHARD_ID, FROM, TO, RECORDS, BYTES, ARRIVAL, BEHIND, READ_UNTIL,
		TIP_AT, LATE_SINCE, N_COLUMNS
	};
	static const Oid types[N_COLUMNS] = {
		TEXTOID, TEXTOID, TEXTOID, INT8OID, INT8OID, TIMESTAMPTZOID, INT8OID,
		TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID
	};
	int			n = batch->n_shards;
	Datum	   *columns[N_COLUMNS];
	bool	   *nulls[N_COLUMNS] = {
		[ARRIVAL] = palloc(n * sizeof(bool)),
		[BEHIND] = palloc(n * sizeof(bool)),
		[READ_UNTIL] = palloc(n * sizeof(bool)),
		[TIP_AT] = palloc(n * sizeof(bool)),
		[LATE_SINCE] = palloc(n * sizeof(bool))
	};
	Datum		values[N_COLUMNS + 2];
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
		nulls[ARRIVAL][i] = shard->n_records == 0;
		columns[BEHIND][i] = Int64GetDatum(shard->millis_behind_latest);
		nulls[BEHIND][i] = shard->millis_behind_latest < 0;
		columns[READ_UNTIL][i] = TimestampTzGetDatum(shard->read_until);
		nulls[READ_UNTIL][i] = shard->read_until == 0;
		columns[TIP_AT][i] = TimestampTzGetDatum(shard->tip_at);
		nulls[TIP_AT][i] = shard->tip_at == 0;
		columns[LATE_SINCE][i] = TimestampTzGetDatum(shard->late_since);
		nulls[LATE_SINCE][i] = shard->late_since == 0;
	}
	values[0] = CStringGetTextDatum(pipeline);
	for (int c = 0; c < N_COLUMNS; c++)
		values[c + 1] = catalog_array(columns[c], nulls[c], n, types[c]);
	values[N_COLUMNS + 1] = Int64GetDatum(generation);

	catalog_begin(&access);
	moved = catalog_execute(&advance_statement, values, NULL);
	catalog_end(&access);
	return moved == (uint64) n;
}

void
checkpoint_count_rowless(const char *pipeline, const Batch *batch)
{
	int			n = batch->n_shards;
	Datum	   *ids = palloc(n * sizeof(Datum));
	int64	   *counts = palloc(n * sizeof(int64));
	Datum	   *letters = palloc0(n * sizeof(Datum));
	Datum	   *empty = palloc(n * sizeof(Datum));
	Datum		values[4];
	CatalogAccess access;
	ListCell   *cell;

	batch_count_empty(batch, counts);
	for (int i = 0; i < n; i++)
	{
		ids[i] = CStringGetTextDatum(batch->shards[i].shard_id);
		empty[i] = Int64GetDatum(counts[i]);
	}
	foreach(cell, batch->rejects)
	{
		const BatchReject *reject = lfirst(cell);
		int			i = 0;

		while (strcmp(batch->shards[i].shard_id, reject->record.shard_id) != 0)
			i++;
		letters[i] = Int64GetDatum(DatumGetInt64(letters[i]) + 1);
	}
	values[0] = CStringGetTextDatum(pipeline);
	values[1] = catalog_array(ids, NULL, n, TEXTOID);
	values[2] = catalog_array(letters, NULL, n, INT8OID);
	values[3] = catalog_array(empty, NULL, n, INT8OID);
	catalog_begin(&access);
	catalog_execute(&count_statement, values, NULL);
	catalog_end(&access);
}

void
checkpoint_recent(const char *pipeline, int64 generation, int64 *records,
				  int64 *dead_letters)
{
	Datum		values[] = {
		CStringGetTextDatum(pipeline), Int64GetDatum(generation)
	};
	CatalogAccess access;

	catalog_begin(&access);
	(void) catalog_execute(&recent_statement, values, NULL);
	*records = catalog_int64(0, 1);
	*dead_letters = catalog_int64(0, 2);
	catalog_end(&access);
}

bool
checkpoint_reset(const char *pipeline, const char *shard_id,
				 const StreamPosition *position)
{
	char		nulls[] = "    ";
	Datum		values[4] = {
		CStringGetTextDatum(pipeline),
		CStringGetTextDatum(shard_id),
		CStringGetTextDatum(position_to_text(position))
	};
	CatalogAccess access;
	uint64		n;

	nulls[3] = wanted_since(position, &values[3]) ? ' ' : 'n';
	catalog_begin(&access);
	n = catalog_execute(&reset_statement, values, nulls);
	catalog_end(&access);
	return n > 0;
}

int
checkpoint_count(const char *pipeline)
{
	Datum		values[] = {CStringGetTextDatum(pipeline)};
	CatalogAccess access;
	int			n;

	catalog_begin(&access);
	catalog_execute(&number_statement, values, NULL);
	n = catalog_int32(0, 1);
	catalog_end(&access);
	return n;
}

void
checkpoint_clear(const char *pipeline)
{
	Datum		values[] = {CStringGetTextDatum(pipeline)};
	CatalogAccess access;

	catalog_begin(&access);
	catalog_execute(&clear_statement, values, NULL);
	catalog_end(&access);
}
