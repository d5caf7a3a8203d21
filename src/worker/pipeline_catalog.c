/*
 * pipeline_catalog.c
 *	  Reading and writing tracking.pipeline.
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_type.h"
#include "sink/catalog.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "worker/pipeline_catalog.h"

/* in the order of read_pipeline() */
#define PIPELINE_COLUMNS \
	"name, id, owner::oid, source::oid, target::oid, command, search_path," \
	" start_position, batch_rows, batch_bytes," \
	" (extract(epoch from max_latency) * 1000)::int8, workers," \
	" on_error = 'stop', max_errors, enabled, generation, failures," \
	" on_gap = 'stop', stream_created, source_key," \
	" pause_between, store_table"

static CatalogStatement load_statement = {
	"select " PIPELINE_COLUMNS " from tracking.pipeline where name = $1",
	1, {TEXTOID}, NULL
};

static CatalogStatement load_id_statement = {
	"select " PIPELINE_COLUMNS " from tracking.pipeline where id = $1",
	1, {INT4OID}, NULL
};

static CatalogStatement states_statement = {
	"select p.id, p.owner::oid, p.enabled, p.workers, p.generation,"
	" coalesce((extract(epoch from p.retry_at - clock_timestamp()) * 1000)::int8, 0),"
	" r.pid, coalesce(r.worker, -1)"
	" from tracking.pipeline p"
	" left join tracking.pipeline_runner r on r.pipeline_id = p.id"
	" order by p.id",
	0, {0}, NULL
};

/* The settings, in the order of pipeline_values(). */
#define SETTING_COLUMNS \
	"name, owner, source, target, command, search_path, start_position," \
	" batch_rows, batch_bytes, max_latency, workers, on_error, max_errors," \
	" enabled, on_gap, source_key, pause_between, store_table"
#define SETTING_VALUES \
	"$1, $2, $3, $4, $5, $6, $7, $8, $9," \
	" $10::float8 * interval '1 millisecond', $11, $12, $13, $14, $15," \
	" $16, $17, $18"
#define SETTING_TYPES \
	{TEXTOID, OIDOID, OIDOID, OIDOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, \
	INT8OID, INT8OID, INT4OID, TEXTOID, INT4OID, BOOLOID, TEXTOID, TEXTOID, \
	TEXTOID, TEXTOID}
#define N_SETTINGS 18

static CatalogStatement insert_statement = {
	"insert into tracking.pipeline (" SETTING_COLUMNS ")"
	" values (" SETTING_VALUES ")",
	N_SETTINGS, SETTING_TYPES, NULL
};

static CatalogStatement update_statement = {
	"update tracking.pipeline set (" SETTING_COLUMNS ")"
	" = row(" SETTING_VALUES "), generation = generation + 1,"
	" retry_at = null, paused_until = null where name = $1",
	N_SETTINGS, SETTING_TYPES, NULL
};

static CatalogStatement claim_statement = {
	"update tracking.pipeline set assigned_generation = generation"
	" where id = $1 and assigned_generation <> generation",
	1, {INT4OID}, NULL
};

static CatalogStatement rebalance_statement = {
	"update tracking.pipeline p set generation = p.generation + 1"
	" where p.enabled and p.workers > 1"
	/* or else they are about to be spread anyway */
	" and p.assigned_generation = p.generation"
	" and (select max(n) - min(n) > 1 from"
	" (select count(c.shard_id) as n from generate_series(0, p.workers - 1) w"
	" left join tracking.checkpoint c on c.pipeline = p.name"
	" and c.worker = w and c.position <> 'SHARD_END' group by w) counts)",
	0, {0}, NULL
};

static CatalogStatement delete_statement = {
	"delete from tracking.pipeline where name = $1",
	1, {TEXTOID}, NULL
};

static CatalogStatement enable_statement = {
	"update tracking.pipeline set enabled = $2, generation = generation + 1,"
	" failures = 0, failing_since = null, retry_at = null, last_error = null,"
	" last_error_sqlstate = null, last_error_at = null where name = $1",
	2, {TEXTOID, BOOLOID}, NULL
};

static CatalogStatement touch_statement = {
	"update tracking.pipeline set generation = generation + 1,"
	" retry_at = null where name = $1",
	1, {TEXTOID}, NULL
};

static CatalogStatement start_statement = {
	"update tracking.pipeline set start_position = $2, stream_created = null"
	" where name = $1",
	2, {TEXTOID, TEXTOID}, NULL
};

static CatalogStatement created_statement = {
	"update tracking.pipeline set stream_created = $2 where id = $1",
	2, {INT4OID, TIMESTAMPTZOID}, NULL
};

static CatalogStatement paused_statement = {
	"update tracking.pipeline set paused_until = $2 where id = $1"
	" and paused_until is distinct from $2",
	2, {INT4OID, TIMESTAMPTZOID}, NULL
};

static CatalogStatement failure_statement = {
	"update tracking.pipeline set failures = failures + 1,"
	" failing_since = coalesce(failing_since, clock_timestamp()),"
	" enabled = enabled and $4 >= 0,"
	" retry_at = case when $4 >= 0 then"
	" clock_timestamp() + $4::float8 * interval '1 millisecond' end,"
	" last_error = $2, last_error_sqlstate = $3,"
	" last_error_at = clock_timestamp() where id = $1",
	4, {INT4OID, TEXTOID, TEXTOID, INT8OID}, NULL
};

static CatalogStatement trouble_statement = {
	"update tracking.pipeline set last_error = $2, last_error_sqlstate = $3,"
	" last_error_at = clock_timestamp() where id = $1",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static CatalogStatement clear_statement = {
	"update tracking.pipeline set failures = 0, failing_since = null,"
	" retry_at = null where id = $1",
	1, {INT4OID}, NULL
};

/* The first row of PIPELINE_COLUMNS. */
static Pipeline *
read_pipeline(MemoryContext cxt)
{
	Pipeline   *pipeline = MemoryContextAllocZero(cxt, sizeof(Pipeline));
	char	   *start;

	pipeline->name = catalog_text(cxt, 0, 1);
	pipeline->id = catalog_int32(0, 2);
	pipeline->owner = catalog_oid(0, 3);
	pipeline->source = catalog_oid(0, 4);
	if (!catalog_is_null(0, 5))
		pipeline->target = catalog_oid(0, 5);
	pipeline->command = catalog_text_or_null(cxt, 0, 6);
	pipeline->search_path = catalog_text(cxt, 0, 7);
	start = catalog_text(cxt, 0, 8);
	if (!position_from_text(start, &pipeline->start))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("pipeline \"%s\" has no valid start position: \"%s\"",
						pipeline->name, start)));
	pipeline->batch_rows = catalog_int32(0, 9);
	pipeline->batch_bytes = catalog_int64(0, 10);
	pipeline->max_latency_ms = catalog_int64(0, 11);
	pipeline->workers = catalog_int32(0, 12);
	pipeline->stop_on_error = catalog_bool(0, 13);
	pipeline->max_errors = catalog_int32(0, 14);
	pipeline->enabled = catalog_bool(0, 15);
	pipeline->generation = catalog_int64(0, 16);
	pipeline->failures = catalog_int32(0, 17);
	pipeline->stop_on_gap = catalog_bool(0, 18);
	if (!catalog_is_null(0, 19))
		pipeline->stream_created = catalog_time(0, 19);
	pipeline->source_key = catalog_text_or_null(cxt, 0, 20);
	pipeline->pause_between = catalog_text_or_null(cxt, 0, 21);
	pipeline->store_table = catalog_text_or_null(cxt, 0, 22);
	return pipeline;
}

static Pipeline *
load(CatalogStatement *statement, Datum key)
{
	MemoryContext cxt = CurrentMemoryContext;
	CatalogAccess access;
	Pipeline   *pipeline = NULL;

	catalog_begin(&access);
	if (catalog_execute(statement, &key, NULL) > 0)
		pipeline = read_pipeline(cxt);
	catalog_end(&access);
	return pipeline;
}

Pipeline *
pipeline_load(const char *name)
{
	return load(&load_statement, CStringGetTextDatum(name));
}

Pipeline *
pipeline_load_id(int32 id)
{
	return load(&load_id_statement, Int32GetDatum(id));
}

/* A pipeline of the states statement, without its runners. */
static PipelineState *
read_state(int row, int32 id)
{
	PipelineState *state = palloc0(sizeof(PipelineState));

	state->id = id;
	state->owner = catalog_oid(row, 2);
	state->may_connect = compat_worker_may_connect(state->owner);
	state->enabled = catalog_bool(row, 3);
	state->workers = catalog_int32(row, 4);
	state->generation = catalog_int64(row, 5);
	state->retry_ms = catalog_int64(row, 6);
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
			state = read_state(i, id);
			states = lappend(states, state);
		}
		if (!catalog_is_null(i, 7))
		{
			PipelineRunner *runner = palloc(sizeof(PipelineRunner));

			runner->pid = catalog_int32(i, 7);
			runner->slot = catalog_int32(i, 8);
			state->runners = lappend(state->runners, runner);
		}
		MemoryContextSwitchTo(old);
	}
	catalog_end(&access);
	return states;
}

/* Run a statement that changes tracking.pipeline; the number of rows. */
static uint64
change(CatalogStatement *statement, Datum *values, const char *nulls)
{
	CatalogAccess access;
	uint64		n;

	catalog_begin(&access);
	n = catalog_execute(statement, values, nulls);
	catalog_end(&access);
	return n;
}

/* Run a statement with the settings of a pipeline as its arguments. */
static void
write_settings(CatalogStatement *statement, const Pipeline *pipeline)
{
	char		nulls[N_SETTINGS + 1];
	Datum		values[N_SETTINGS] = {
		CStringGetTextDatum(pipeline->name),
		ObjectIdGetDatum(pipeline->owner),
		ObjectIdGetDatum(pipeline->source),
		ObjectIdGetDatum(pipeline->target),
		pipeline->command == NULL ? (Datum) 0 :
		CStringGetTextDatum(pipeline->command),
		CStringGetTextDatum(pipeline->search_path),
		CStringGetTextDatum(position_to_text(&pipeline->start)),
		Int32GetDatum(pipeline->batch_rows),
		Int64GetDatum(pipeline->batch_bytes),
		Int64GetDatum(pipeline->max_latency_ms),
		Int32GetDatum(pipeline->workers),
		CStringGetTextDatum(pipeline->stop_on_error ?
							"stop" : "dead_letter"),
		Int32GetDatum(pipeline->max_errors),
		BoolGetDatum(pipeline->enabled),
		CStringGetTextDatum(pipeline->stop_on_gap ? "stop" : "record"),
		pipeline->source_key == NULL ? (Datum) 0 :
		CStringGetTextDatum(pipeline->source_key),
		pipeline->pause_between == NULL ? (Datum) 0 :
		CStringGetTextDatum(pipeline->pause_between),
		pipeline->store_table == NULL ? (Datum) 0 :
		CStringGetTextDatum(pipeline->store_table)
	};

	memset(nulls, ' ', N_SETTINGS);
	nulls[N_SETTINGS] = '\0';
	nulls[3] = OidIsValid(pipeline->target) ? ' ' : 'n';
	nulls[4] = pipeline->command == NULL ? 'n' : ' ';
	nulls[15] = pipeline->source_key == NULL ? 'n' : ' ';
	nulls[16] = pipeline->pause_between == NULL ? 'n' : ' ';
	nulls[17] = pipeline->store_table == NULL ? 'n' : ' ';
	change(statement, values, nulls);
}

void
pipeline_insert(const Pipeline *pipeline)
{
	write_settings(&insert_statement, pipeline);
}

void
pipeline_update(const Pipeline *pipeline)
{
	write_settings(&update_statement, pipeline);
}

bool
pipeline_claim_assignment(int32 id)
{
	Datum		values[] = {Int32GetDatum(id)};

	return change(&claim_statement, values, NULL) > 0;
}

void
pipeline_rebalance(void)
{
	change(&rebalance_statement, NULL, NULL);
}

void
pipeline_delete(const char *name)
{
	Datum		values[] = {CStringGetTextDatum(name)};

	change(&delete_statement, values, NULL);
}

void
pipeline_enable(const char *name, bool enabled)
{
	Datum		values[] = {CStringGetTextDatum(name), BoolGetDatum(enabled)};

	change(&enable_statement, values, NULL);
}

void
pipeline_touch(const char *name)
{
	Datum		values[] = {CStringGetTextDatum(name)};

	change(&touch_statement, values, NULL);
}

void
pipeline_set_start(const char *name, const StreamPosition *start)
{
	Datum		values[] = {
		CStringGetTextDatum(name),
		CStringGetTextDatum(position_to_text(start))
	};

	change(&start_statement, values, NULL);
}

void
pipeline_set_stream_created(int32 id, TimestampTz created)
{
	Datum		values[] = {
		Int32GetDatum(id), TimestampTzGetDatum(created)
	};

	change(&created_statement, values, NULL);
}

void
pipeline_set_paused_until(int32 id, TimestampTz until)
{
	Datum		values[] = {
		Int32GetDatum(id), TimestampTzGetDatum(until)
	};

	change(&paused_statement, values, until == 0 ? " n" : NULL);
}

/* Message, detail and hint as psql would show them. */
static char *
failure_text(const ErrorData *error)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, error->message != NULL ?
						   error->message : "unknown error");
	if (error->detail != NULL)
		appendStringInfo(&text, "\nDETAIL:  %s", error->detail);
	if (error->hint != NULL)
		appendStringInfo(&text, "\nHINT:  %s", error->hint);
	if (error->context != NULL)
		appendStringInfo(&text, "\nCONTEXT:  %s", error->context);
	return text.data;
}

void
pipeline_record_failure(int32 id, const ErrorData *error, int64 retry_ms)
{
	Datum		values[] = {
		Int32GetDatum(id),
		CStringGetTextDatum(failure_text(error)),
		CStringGetTextDatum(unpack_sql_state(error->sqlerrcode)),
		Int64GetDatum(retry_ms)
	};

	change(&failure_statement, values, NULL);
}

void
pipeline_note_trouble(int32 id, const ErrorData *error)
{
	Datum		values[] = {
		Int32GetDatum(id),
		CStringGetTextDatum(failure_text(error)),
		CStringGetTextDatum(unpack_sql_state(error->sqlerrcode))
	};

	change(&trouble_statement, values, NULL);
}

void
pipeline_clear_failures(int32 id)
{
	Datum		values[] = {Int32GetDatum(id)};

	change(&clear_statement, values, NULL);
}
