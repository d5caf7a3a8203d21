/*
 * pipeline_state.c
 *	  The pipelines of a database as its supervisor sees them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "config/guc.h"
#include "ledger/catalog.h"
#include "miscadmin.h"
#include "pipeline/pipeline_home.h"
#include "utils/builtins.h"
#include "worker/pipeline_limits.h"
#include "worker/pipeline_state.h"

static CatalogStatement states_statement = {
	"select p.id, p.name, "
	" coalesce(tracking.pipeline_owner(p.anchor)::pg_catalog.oid,"
	" 0::pg_catalog.oid), p.enabled, p.workers,"
	" p.granted_workers, p.generation, p.failures,"
	" coalesce((extract(epoch from p.retry_at operator(pg_catalog.-)"
	" pg_catalog.clock_timestamp())"
	" operator(pg_catalog.*) 1000)::pg_catalog.int8, 0),"
	" r.pid, coalesce(r.worker, -1), p.system_identifier, p.database"
	" from tracking.pipeline p"
	" left join tracking.pipeline_runner r"
	" on r.pipeline_id operator(pg_catalog.=) p.id"
	" order by p.id",
	0, {0}, NULL
};

static CatalogStatement rebalance_statement = {
	"update tracking.pipeline p"
	" set generation = p.generation operator(pg_catalog.+) 1"
	" from (select q.id from tracking.pipeline q"
	" where q.enabled and coalesce(q.granted_workers, q.workers)"
	" operator(pg_catalog.>) 1"
	/* otherwise its shards are about to be assigned anyway */
	" and q.assigned_generation operator(pg_catalog.=) q.generation"
	" and (select pg_catalog.max(n) operator(pg_catalog.-) pg_catalog.min(n)"
	" operator(pg_catalog.>) 1 from"
	" (select pg_catalog.count(c.shard_id) as n from"
	" pg_catalog.generate_series(0, coalesce(q.granted_workers, q.workers)"
	" operator(pg_catalog.-) 1) w"
	" left join tracking.checkpoint c"
	" on c.pipeline operator(pg_catalog.=) q.name"
	" and c.worker operator(pg_catalog.=) w"
	" and c.position operator(pg_catalog.<>) 'SHARD_END'"
	" group by w) counts)"
	" for no key update of q skip locked) uneven"
	" where p.id operator(pg_catalog.=) uneven.id",
	0, {0}, NULL
};

static CatalogStatement grant_statement = {
	"update tracking.pipeline p set granted_workers ="
	" case when p.workers operator(pg_catalog.<>) $2 then $2 end,"
	" granted_reason ="
	" case when p.workers operator(pg_catalog.>) $2 then $4 end,"
	" assigned_generation = 0"
	" from (select q.id from tracking.pipeline q"
	" where q.id operator(pg_catalog.=) $1"
	" and q.generation operator(pg_catalog.=) $3"
	" for no key update skip locked) free"
	" where p.id operator(pg_catalog.=) free.id",
	4, {INT4OID, INT4OID, INT8OID, TEXTOID}, NULL
};

/*
 * Make a PipelineState of a row of the states statement, without its runners.
 */
static PipelineState *
read_state(MemoryContext cxt, int row, int32 id)
{
	PipelineState *state = palloc0(sizeof(PipelineState));
	bool		enabled = catalog_bool(row, 4);
	int			workers = catalog_int32(row, 5);

	state->id = id;
	state->name = catalog_text(cxt, row, 2);
	state->owner = catalog_oid(row, 3);
	state->of_superuser = superuser_arg(state->owner);
	state->is_home = pipeline_home_is((uint64) catalog_int64(row, 12),
									  catalog_oid(row, 13));
	state->enabled = enabled && state->is_home && guc_run_pipelines();
	state->held_back = enabled && !state->enabled;
	if (state->enabled)
		state->refusal = pipeline_role_refusal(state->owner);
	state->allowed = pipeline_limits_workers(state->owner, workers);
	state->granted = catalog_is_null(row, 6) ? workers :
		catalog_int32(row, 6);
	state->generation = catalog_int64(row, 7);
	state->failures = catalog_int32(row, 8);
	state->retry_ms = catalog_int64(row, 9);
	return state;
}

List *
pipeline_states(void)
{
	MemoryContext cxt = CurrentMemoryContext;
	CatalogAccess access;
	PipelineState *state = NULL;
	List	   *states = NIL;
	uint64		n;

	catalog_begin(&access);
	n = catalog_execute(&states_statement, NULL, NULL);
	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(cxt);
		int32		id = catalog_int32(i, 1);

		if (state == NULL || state->id != id)
		{
			state = read_state(cxt, i, id);
			states = lappend(states, state);
		}
		if (!catalog_is_null(i, 10))
		{
			PipelineRunner *runner = palloc(sizeof(PipelineRunner));

			runner->pid = catalog_int32(i, 10);
			runner->slot = catalog_int32(i, 11);
			state->runners = lappend(state->runners, runner);
		}
		MemoryContextSwitchTo(old);
	}
	catalog_end(&access);
	return states;
}

void
pipeline_rebalance(void)
{
	CatalogAccess access;

	catalog_begin(&access);
	(void) catalog_execute(&rebalance_statement, NULL, NULL);
	catalog_end(&access);
}

bool
pipeline_grant(PipelineState *state, int workers, const char *reason)
{
	Datum		values[] = {
		Int32GetDatum(state->id),
		Int32GetDatum(workers),
		Int64GetDatum(state->generation),
		CStringGetTextDatum(reason)
	};
	CatalogAccess access;
	bool		granted;

	catalog_begin(&access);
	granted = catalog_execute(&grant_statement, values, NULL) > 0;
	catalog_end(&access);
	if (granted)
		state->granted = workers;
	return granted;
}
