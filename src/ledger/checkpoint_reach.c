/*
 * checkpoint_reach.c
 *	  Which shards cannot be read, and when tips were reached.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "ledger/catalog.h"
#include "ledger/checkpoint_reach.h"
#include "stream/stream_reader.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static CatalogStatement lost_statement = {
	"update tracking.checkpoint c set unreachable_since = b.since,"
	" unreachable_reason = b.reason, tip_at = greatest(c.tip_at, b.tip_at)"
	" from (select q.shard_id, u.since, u.reason, u.tip_at"
	" from rows from (pg_catalog.unnest($2), pg_catalog.unnest($3),"
	" pg_catalog.unnest($4), pg_catalog.unnest($5))"
	" as u(shard_id, since, reason, tip_at)"
	" join tracking.checkpoint q on q.pipeline operator(pg_catalog.=) $1"
	" and q.shard_id operator(pg_catalog.=) u.shard_id"
	" and (q.unreachable_since operator(pg_catalog.=) u.since"
	" and q.unreachable_reason operator(pg_catalog.=) u.reason) is not true"
	" for no key update of q skip locked) b"
	" where c.pipeline operator(pg_catalog.=) $1"
	" and c.shard_id operator(pg_catalog.=) b.shard_id",
	5, {TEXTOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID,
	TIMESTAMPTZARRAYOID}, NULL
};

static CatalogStatement found_statement = {
	"update tracking.checkpoint c set unreachable_since = null,"
	" unreachable_reason = null"
	" from (select q.shard_id from tracking.checkpoint q"
	" where q.pipeline operator(pg_catalog.=) $1"
	" and q.unreachable_since is not null"
	" and ($3 operator(pg_catalog.<) 0 or q.worker operator(pg_catalog.=) $3)"
	" and q.shard_id operator(pg_catalog.<>) all ($2)"
	" for no key update skip locked) b"
	" where c.pipeline operator(pg_catalog.=) $1"
	" and c.shard_id operator(pg_catalog.=) b.shard_id",
	3, {TEXTOID, TEXTARRAYOID, INT4OID}, NULL
};

static CatalogStatement all_lost_statement = {
	"update tracking.checkpoint c"
	" set unreachable_since = coalesce(c.unreachable_since, $3),"
	" unreachable_reason = $4"
	" from (select q.shard_id from tracking.checkpoint q"
	" where q.pipeline operator(pg_catalog.=) $1"
	" and ($2 operator(pg_catalog.<) 0 or q.worker operator(pg_catalog.=) $2)"
	" and q.position operator(pg_catalog.<>) 'SHARD_END'"
	" and (q.unreachable_reason operator(pg_catalog.=) $4) is not true"
	" for no key update skip locked) b"
	" where c.pipeline operator(pg_catalog.=) $1"
	" and c.shard_id operator(pg_catalog.=) b.shard_id",
	4, {TEXTOID, INT4OID, TIMESTAMPTZOID, TEXTOID}, NULL
};

/* A difference of less than ten seconds is not worth a write. */
static CatalogStatement tips_statement = {
	"update tracking.checkpoint c set tip_at = b.tip_at"
	" from (select q.shard_id, u.tip_at"
	" from rows from (pg_catalog.unnest($2), pg_catalog.unnest($3))"
	" as u(shard_id, tip_at)"
	" join tracking.checkpoint q on q.pipeline operator(pg_catalog.=) $1"
	" and q.shard_id operator(pg_catalog.=) u.shard_id"
	" and (q.tip_at operator(pg_catalog.>) (u.tip_at operator(pg_catalog.-)"
	" pg_catalog.interval '10 seconds')) is not true"
	" for no key update of q skip locked) b"
	" where c.pipeline operator(pg_catalog.=) $1"
	" and c.shard_id operator(pg_catalog.=) b.shard_id",
	3, {TEXTOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID}, NULL
};

static void
run(CatalogStatement *statement, Datum *values)
{
	CatalogAccess access;

	catalog_begin(&access);
	(void) catalog_execute(statement, values, NULL);
	catalog_end(&access);
}

void
checkpoint_set_lost(const char *pipeline, int worker, List *lost)
{
	int			n = list_length(lost);
	Datum	   *ids = palloc(Max(n, 1) * sizeof(Datum));
	Datum	   *since = palloc(Max(n, 1) * sizeof(Datum));
	Datum	   *reasons = palloc(Max(n, 1) * sizeof(Datum));
	Datum	   *tips = palloc(Max(n, 1) * sizeof(Datum));
	bool	   *no_tip = palloc(Max(n, 1) * sizeof(bool));
	Datum		values[5] = {CStringGetTextDatum(pipeline)};

	for (int i = 0; i < n; i++)
	{
		const StreamLost *shard = list_nth(lost, i);

		ids[i] = CStringGetTextDatum(shard->shard_id);
		since[i] = TimestampTzGetDatum(shard->since);
		reasons[i] = CStringGetTextDatum(shard->reason);
		tips[i] = TimestampTzGetDatum(shard->tip_at);
		no_tip[i] = shard->tip_at == 0;
	}
	values[1] = catalog_array(ids, NULL, n, TEXTOID);
	values[2] = catalog_array(since, NULL, n, TIMESTAMPTZOID);
	values[3] = catalog_array(reasons, NULL, n, TEXTOID);
	values[4] = catalog_array(tips, no_tip, n, TIMESTAMPTZOID);
	if (n > 0)
		run(&lost_statement, values);
	values[2] = Int32GetDatum(worker);
	run(&found_statement, values);
}

void
checkpoint_set_all_lost(const char *pipeline, int worker, TimestampTz since,
						const char *reason)
{
	Datum		values[] = {
		CStringGetTextDatum(pipeline),
		Int32GetDatum(worker),
		TimestampTzGetDatum(since),
		CStringGetTextDatum(reason)
	};

	run(&all_lost_statement, values);
}

void
checkpoint_note_tips(const char *pipeline, List *tips)
{
	int			n = list_length(tips);
	Datum	   *ids = palloc(Max(n, 1) * sizeof(Datum));
	Datum	   *at = palloc(Max(n, 1) * sizeof(Datum));
	Datum		values[3] = {CStringGetTextDatum(pipeline)};

	for (int i = 0; i < n; i++)
	{
		const StreamTip *tip = list_nth(tips, i);

		ids[i] = CStringGetTextDatum(tip->shard_id);
		at[i] = TimestampTzGetDatum(tip->tip_at);
	}
	values[1] = catalog_array(ids, NULL, n, TEXTOID);
	values[2] = catalog_array(at, NULL, n, TIMESTAMPTZOID);
	run(&tips_statement, values);
}
