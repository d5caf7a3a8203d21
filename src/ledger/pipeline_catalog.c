/*
 * pipeline_catalog.c
 *	  Reading and writing tracking.pipeline.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "base/compat.h"
#include "catalog/pg_type.h"
#include "ledger/catalog.h"
#include "ledger/checkpoint_reach.h"
#include "ledger/pipeline_anchor.h"
#include "ledger/pipeline_catalog.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* in the order of read_pipeline() */
#define PIPELINE_COLUMNS \
	"name, id," \
	" coalesce(tracking.pipeline_owner(anchor)::pg_catalog.oid," \
	" 0::pg_catalog.oid), source::pg_catalog.oid," \
	" target::pg_catalog.oid, command, search_path," \
	" start_position, batch_rows, batch_bytes," \
	" (extract(epoch from max_latency) operator(pg_catalog.*) 1000)" \
	"::pg_catalog.int8, workers," \
	" on_error operator(pg_catalog.=) 'stop', max_errors, enabled," \
	" generation, failures, on_gap operator(pg_catalog.=) 'stop'," \
	" stream_created, source_key, pause_between, store_table, anchor," \
	" system_identifier, database, shards_known, owner," \
	" coalesce(granted_workers, workers), unreachable_since is not null," \
	" coalesce(max_error_ratio, 1)," \
	" coalesce(watched_generation operator(pg_catalog.=) generation, false)"

static CatalogStatement load_statement = {
	"select " PIPELINE_COLUMNS " from tracking.pipeline"
	" where name operator(pg_catalog.=) $1",
	1, {TEXTOID}, NULL
};

static CatalogStatement load_id_statement = {
	"select " PIPELINE_COLUMNS " from tracking.pipeline"
	" where id operator(pg_catalog.=) $1",
	1, {INT4OID}, NULL
};

static CatalogStatement count_statement = {
	"select from tracking.pipeline"
	" where tracking.pipeline_owner(anchor)::pg_catalog.oid"
	" operator(pg_catalog.=) $1",
	1, {OIDOID}, NULL
};

/* The settings, in the order of pipeline_values(). */
#define SETTING_COLUMNS \
	"name, source, target, command, search_path, start_position," \
	" batch_rows, batch_bytes, max_latency, workers, on_error, max_errors," \
	" enabled, on_gap, source_key, pause_between, store_table," \
	" max_error_ratio"
#define SETTING_VALUES \
	"$1, $2, $3, $4, $5, $6, $7, $8," \
	" $9::pg_catalog.float8 operator(pg_catalog.*)" \
	" pg_catalog.interval '1 millisecond', $10, $11, $12, $13, $14, $15," \
	" $16, $17, $18"
#define SETTING_TYPES \
	TEXTOID, OIDOID, OIDOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, INT8OID, \
	INT8OID, INT4OID, TEXTOID, INT4OID, BOOLOID, TEXTOID, TEXTOID, TEXTOID, \
	TEXTOID, FLOAT8OID
#define N_SETTINGS 18

/* How a pipeline is settled in a database, in the order of home_values(). */
#define HOME_TYPES NAMEOID, INT8OID, OIDOID
#define N_HOME 3

static CatalogStatement insert_statement = {
	"insert into tracking.pipeline (" SETTING_COLUMNS ","
	" owner, system_identifier, database, anchor)"
	" values (" SETTING_VALUES ", $19, $20, $21, $22)",
	N_SETTINGS + N_HOME + 1, {SETTING_TYPES, HOME_TYPES, NAMEOID}, NULL
};

static CatalogStatement update_statement = {
	"update tracking.pipeline set (" SETTING_COLUMNS ")"
	" = row(" SETTING_VALUES "),"
	" generation = generation operator(pg_catalog.+) 1,"
	" retry_at = null, paused_until = null, granted_workers = null"
	" where name operator(pg_catalog.=) $1",
	N_SETTINGS, {SETTING_TYPES}, NULL
};

/* No foreign keys do this: a parallel restore has no order for them. */
static CatalogStatement belongings_statements[] = {
	{"delete from tracking.checkpoint"
	" where pipeline operator(pg_catalog.=) $1", 1, {TEXTOID}, NULL},
	{"delete from tracking.dead_letter"
	" where pipeline operator(pg_catalog.=) $1", 1, {TEXTOID}, NULL},
	{"delete from tracking.gap"
	" where pipeline operator(pg_catalog.=) $1", 1, {TEXTOID}, NULL},
	{"delete from tracking.batch"
	" where pipeline operator(pg_catalog.=) $1", 1, {TEXTOID}, NULL},
	{"delete from tracking.load"
	" where pipeline operator(pg_catalog.=) $1", 1, {TEXTOID}, NULL}
};

static CatalogStatement delete_statement = {
	"delete from tracking.pipeline where name operator(pg_catalog.=) $1",
	1, {TEXTOID}, NULL
};

static CatalogStatement enable_statement = {
	"update tracking.pipeline set enabled = $2,"
	" generation = generation operator(pg_catalog.+) 1,"
	" failures = 0, failing_since = null, retry_at = null, last_error = null,"
	" last_error_sqlstate = null, last_error_at = null,"
	" unreachable_since = null, granted_workers = null"
	" where name operator(pg_catalog.=) $1",
	2, {TEXTOID, BOOLOID}, NULL
};

static CatalogStatement home_statement = {
	"update tracking.pipeline set owner = $2, system_identifier = $3,"
	" database = $4 where id operator(pg_catalog.=) $1",
	1 + N_HOME, {INT4OID, HOME_TYPES}, NULL
};

static CatalogStatement owner_statement = {
	"update tracking.pipeline set owner = $2"
	" where id operator(pg_catalog.=) $1",
	2, {INT4OID, NAMEOID}, NULL
};

static CatalogStatement names_statement = {
	"select name from tracking.pipeline order by name",
	0, {0}, NULL
};

static CatalogStatement touch_statement = {
	"update tracking.pipeline"
	" set generation = generation operator(pg_catalog.+) 1,"
	" retry_at = null where name operator(pg_catalog.=) $1",
	1, {TEXTOID}, NULL
};

static CatalogStatement start_statement = {
	"update tracking.pipeline set start_position = $2, stream_created = null,"
	" shards_known = 0"
	" where name operator(pg_catalog.=) $1",
	2, {TEXTOID, TEXTOID}, NULL
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
	pipeline->anchor = catalog_text(cxt, 0, 23);
	pipeline->system_identifier = (uint64) catalog_int64(0, 24);
	pipeline->database = catalog_oid(0, 25);
	pipeline->shards_known = catalog_int32(0, 26);
	pipeline->owner_name = catalog_text(cxt, 0, 27);
	pipeline->granted_workers = catalog_int32(0, 28);
	pipeline->is_unreachable = catalog_bool(0, 29);
	pipeline->max_error_ratio = catalog_float8(0, 30);
	pipeline->watched = catalog_bool(0, 31);
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

List *
pipeline_names(void)
{
	MemoryContext cxt = CurrentMemoryContext;
	CatalogAccess access;
	List	   *names = NIL;
	uint64		n;

	catalog_begin(&access);
	n = catalog_execute(&names_statement, NULL, NULL);
	for (uint64 i = 0; i < n; i++)
	{
		char	   *name = catalog_text(cxt, i, 1);
		MemoryContext old = MemoryContextSwitchTo(cxt);

		names = lappend(names, name);
		MemoryContextSwitchTo(old);
	}
	catalog_end(&access);
	return names;
}

static Datum
optional_text(const char *text)
{
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

static Datum
name_datum(const char *text)
{
	NameData   *name = palloc(sizeof(NameData));

	namestrcpy(name, text);
	return NameGetDatum(name);
}

/* Positions, dead letters, history and so on of what has this name. */
static void
delete_belongings(const char *pipeline)
{
	Datum		values[] = {CStringGetTextDatum(pipeline)};

	for (int i = 0; i < (int) lengthof(belongings_statements); i++)
		catalog_change(&belongings_statements[i], values, NULL);
}

/*
 * The settings of a pipeline, in the order of SETTING_COLUMNS: N_SETTINGS
 * values and nulls.
 */
static void
setting_values(const Pipeline *pipeline, Datum *values, char *nulls)
{
	Datum		settings[N_SETTINGS] = {
		CStringGetTextDatum(pipeline->name),
		ObjectIdGetDatum(pipeline->source),
		ObjectIdGetDatum(pipeline->target),
		optional_text(pipeline->command),
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
		optional_text(pipeline->source_key),
		optional_text(pipeline->pause_between),
		optional_text(pipeline->store_table),
		Float8GetDatum(pipeline->max_error_ratio)
	};

	memcpy(values, settings, sizeof(settings));
	memset(nulls, ' ', N_SETTINGS);
	nulls[2] = OidIsValid(pipeline->target) ? ' ' : 'n';
	nulls[3] = pipeline->command == NULL ? 'n' : ' ';
	nulls[14] = pipeline->source_key == NULL ? 'n' : ' ';
	nulls[15] = pipeline->pause_between == NULL ? 'n' : ' ';
	nulls[16] = pipeline->store_table == NULL ? 'n' : ' ';
	nulls[17] = pipeline->max_error_ratio == 1 ? 'n' : ' ';
}

/* What this database is, and who the owner is in it. */
static void
home_values(const Pipeline *pipeline, Datum *values)
{
	values[0] = name_datum(GetUserNameFromId(pipeline->owner, false));
	values[1] = Int64GetDatum((int64) GetSystemIdentifier());
	values[2] = ObjectIdGetDatum(MyDatabaseId);
}

void
pipeline_insert(Pipeline *pipeline)
{
	Datum		values[N_SETTINGS + N_HOME + 1];
	char		nulls[] = "                      ";

	pipeline->anchor = pipeline_anchor_create(pipeline->name,
											  pipeline->owner);
	setting_values(pipeline, values, nulls);
	home_values(pipeline, values + N_SETTINGS);
	values[N_SETTINGS + N_HOME] = name_datum(pipeline->anchor);
	/* what a restore may have left without its pipeline is not of this one */
	delete_belongings(pipeline->name);
	catalog_change(&insert_statement, values, nulls);
}

void
pipeline_update(const Pipeline *pipeline)
{
	Datum		values[N_SETTINGS];
	char		nulls[N_SETTINGS + 1] = "";

	setting_values(pipeline, values, nulls);
	catalog_change(&update_statement, values, nulls);
}

void
pipeline_set_home(const Pipeline *pipeline)
{
	Datum		values[1 + N_HOME] = {Int32GetDatum(pipeline->id)};

	home_values(pipeline, values + 1);
	catalog_change(&home_statement, values, NULL);
}

void
pipeline_set_owner(const Pipeline *pipeline)
{
	Datum		values[] = {
		Int32GetDatum(pipeline->id),
		name_datum(GetUserNameFromId(pipeline->owner, false))
	};

	pipeline_anchor_give(pipeline->anchor, pipeline->name, pipeline->owner);
	catalog_change(&owner_statement, values, NULL);
}

void
pipeline_delete(const char *name)
{
	Pipeline   *pipeline = pipeline_load(name);
	Datum		values[] = {CStringGetTextDatum(name)};

	if (pipeline == NULL)
		return;
	delete_belongings(name);
	catalog_change(&delete_statement, values, NULL);
	pipeline_anchor_drop(pipeline->anchor);
}

void
pipeline_enable(const char *name, bool enabled)
{
	Datum		values[] = {CStringGetTextDatum(name), BoolGetDatum(enabled)};

	catalog_change(&enable_statement, values, NULL);
	checkpoint_set_lost(name, -1, NIL);
}

void
pipeline_touch(const char *name)
{
	Datum		values[] = {CStringGetTextDatum(name)};

	catalog_change(&touch_statement, values, NULL);
}

void
pipeline_set_start(const char *name, const StreamPosition *start)
{
	Datum		values[] = {
		CStringGetTextDatum(name),
		CStringGetTextDatum(position_to_text(start))
	};

	catalog_change(&start_statement, values, NULL);
}
