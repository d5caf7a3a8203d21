/*
 * pipeline_catalog.c
 *	  Reading and writing tracking.pipeline.
 */
#include "postgres.h"

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
	" pause_between, store_table, coalesce(granted_workers, workers)"

static CatalogStatement load_statement = {
	"select " PIPELINE_COLUMNS " from tracking.pipeline where name = $1",
	1, {TEXTOID}, NULL
};

static CatalogStatement load_id_statement = {
	"select " PIPELINE_COLUMNS " from tracking.pipeline where id = $1",
	1, {INT4OID}, NULL
};

static CatalogStatement count_statement = {
	"select from tracking.pipeline where owner operator(pg_catalog.=) $1",
	1, {OIDOID}, NULL
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
	" retry_at = null, paused_until = null, granted_workers = null"
	" where name = $1",
	N_SETTINGS, SETTING_TYPES, NULL
};

static CatalogStatement claim_statement = {
	"update tracking.pipeline set assigned_generation = generation"
	" where id = $1 and assigned_generation <> generation",
	1, {INT4OID}, NULL
};

static CatalogStatement delete_statement = {
	"delete from tracking.pipeline where name = $1",
	1, {TEXTOID}, NULL
};

static CatalogStatement enable_statement = {
	"update tracking.pipeline set enabled = $2, generation = generation + 1,"
	" failures = 0, failing_since = null, retry_at = null, last_error = null,"
	" last_error_sqlstate = null, last_error_at = null,"
	" granted_workers = null where name = $1",
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

#define FAILURE_UPDATE \
	"update tracking.pipeline p set" \
	" failures = p.failures operator(pg_catalog.+) 1," \
	" failing_since = coalesce(p.failing_since, pg_catalog.clock_timestamp())," \
	" enabled = p.enabled and $4 operator(pg_catalog.>=) 0," \
	" retry_at = case when $4 operator(pg_catalog.>=) 0 then" \
	" pg_catalog.clock_timestamp() operator(pg_catalog.+)" \
	" ($4::pg_catalog.float8 operator(pg_catalog.*)" \
	" '1 millisecond'::pg_catalog.interval) end," \
	" last_error = $2, last_error_sqlstate = $3," \
	" last_error_at = pg_catalog.clock_timestamp()"

static CatalogStatement failure_statement = {
	FAILURE_UPDATE " where p.id operator(pg_catalog.=) $1",
	4, {INT4OID, TEXTOID, TEXTOID, INT8OID}, NULL
};

/* A row that somebody has locked may stay so for ever. */
static CatalogStatement free_failure_statement = {
	FAILURE_UPDATE " from (select q.id from tracking.pipeline q"
	" where q.id operator(pg_catalog.=) $1"
	" for no key update skip locked) free"
	" where p.id operator(pg_catalog.=) free.id",
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
	bool		isnull;
	Datum		target;
	Datum		created;

	pipeline->name = catalog_text(cxt, 0, 1);
	pipeline->id = DatumGetInt32(catalog_datum(0, 2, &isnull));
	pipeline->owner = DatumGetObjectId(catalog_datum(0, 3, &isnull));
	pipeline->source = DatumGetObjectId(catalog_datum(0, 4, &isnull));
	target = catalog_datum(0, 5, &isnull);
	pipeline->target = isnull ? InvalidOid : DatumGetObjectId(target);
	pipeline->command = catalog_text(cxt, 0, 6);
	pipeline->search_path = catalog_text(cxt, 0, 7);
	start = catalog_text(cxt, 0, 8);
	if (!position_from_text(start, &pipeline->start))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("pipeline \"%s\" has no valid start position: \"%s\"",
						pipeline->name, start)));
	pipeline->batch_rows = DatumGetInt32(catalog_datum(0, 9, &isnull));
	pipeline->batch_bytes = DatumGetInt64(catalog_datum(0, 10, &isnull));
	pipeline->max_latency_ms = DatumGetInt64(catalog_datum(0, 11, &isnull));
	pipeline->workers = DatumGetInt32(catalog_datum(0, 12, &isnull));
	pipeline->stop_on_error = DatumGetBool(catalog_datum(0, 13, &isnull));
	pipeline->max_errors = DatumGetInt32(catalog_datum(0, 14, &isnull));
	pipeline->enabled = DatumGetBool(catalog_datum(0, 15, &isnull));
	pipeline->generation = DatumGetInt64(catalog_datum(0, 16, &isnull));
	pipeline->failures = DatumGetInt32(catalog_datum(0, 17, &isnull));
	pipeline->stop_on_gap = DatumGetBool(catalog_datum(0, 18, &isnull));
	created = catalog_datum(0, 19, &isnull);
	pipeline->stream_created = isnull ? 0 : DatumGetTimestampTz(created);
	pipeline->source_key = catalog_text(cxt, 0, 20);
	pipeline->pause_between = catalog_text(cxt, 0, 21);
	pipeline->store_table = catalog_text(cxt, 0, 22);
	pipeline->granted_workers = DatumGetInt32(catalog_datum(0, 23, &isnull));
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

int
pipeline_count(Oid owner)
{
	Datum		values[] = {ObjectIdGetDatum(owner)};
	CatalogAccess access;
	uint64		n;

	catalog_begin(&access);
	n = catalog_execute_latest(&count_statement, values);
	catalog_end(&access);
	return (int) n;
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

static bool
record_failure(CatalogStatement *statement, int32 id, const ErrorData *error,
			   int64 retry_ms)
{
	Datum		values[] = {
		Int32GetDatum(id),
		CStringGetTextDatum(failure_text(error)),
		CStringGetTextDatum(unpack_sql_state(error->sqlerrcode)),
		Int64GetDatum(retry_ms)
	};

	return change(statement, values, NULL) > 0;
}

void
pipeline_record_failure(int32 id, const ErrorData *error, int64 retry_ms)
{
	(void) record_failure(&failure_statement, id, error, retry_ms);
}

bool
pipeline_try_record_failure(int32 id, const ErrorData *error, int64 retry_ms)
{
	return record_failure(&free_failure_statement, id, error, retry_ms);
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
