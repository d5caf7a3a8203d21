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
#include "ledger/pipeline_setting.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* The columns that are not settings, in the order of read_pipeline(). */
#define OTHER_COLUMNS \
	"name, id," \
	" coalesce(tracking.pipeline_owner(anchor)::pg_catalog.oid," \
	" 0::pg_catalog.oid), anchor, owner, system_identifier, database," \
	" generation, failures, stream_created, shards_known," \
	" coalesce(granted_workers, workers), unreachable_since is not null," \
	" coalesce(watched_generation operator(pg_catalog.=) generation, false)"
#define N_OTHERS 14

/* Their SQL is made at first use, of OTHER_COLUMNS and the settings. */
static CatalogStatement load_statement = {NULL, 1, {TEXTOID}, NULL};
static CatalogStatement load_id_statement = {NULL, 1, {INT4OID}, NULL};

static CatalogStatement lock_statement = {
	"select from tracking.pipeline where id operator(pg_catalog.=) $1"
	" for no key update",
	1, {INT4OID}, NULL
};

static CatalogStatement count_statement = {
	"select from tracking.pipeline"
	" where tracking.pipeline_owner(anchor)::pg_catalog.oid"
	" operator(pg_catalog.=) $1",
	1, {OIDOID}, NULL
};

/*
 * These tables have no foreign keys that would delete their rows: a parallel
 * restore loads the tables in any order.
 */
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
	4, {INT4OID, NAMEOID, INT8OID, OIDOID}, NULL
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

/* Make a Pipeline of the first row: OTHER_COLUMNS, then the settings. */
static Pipeline *
read_pipeline(MemoryContext cxt)
{
	Pipeline   *pipeline = MemoryContextAllocZero(cxt, sizeof(Pipeline));
	MemoryContext old;

	pipeline->name = catalog_text(cxt, 0, 1);
	pipeline->id = catalog_int32(0, 2);
	pipeline->owner = catalog_oid(0, 3);
	pipeline->anchor = catalog_text(cxt, 0, 4);
	pipeline->owner_name = catalog_text(cxt, 0, 5);
	pipeline->system_identifier = (uint64) catalog_int64(0, 6);
	pipeline->database = catalog_oid(0, 7);
	pipeline->generation = catalog_int64(0, 8);
	pipeline->failures = catalog_int32(0, 9);
	if (!catalog_is_null(0, 10))
		pipeline->stream_created = catalog_time(0, 10);
	pipeline->shards_known = catalog_int32(0, 11);
	pipeline->granted_workers = catalog_int32(0, 12);
	pipeline->is_unreachable = catalog_bool(0, 13);
	pipeline->watched = catalog_bool(0, 14);
	old = MemoryContextSwitchTo(cxt);
	for (int i = 0; i < pipeline_setting_count(); i++)
	{
		int			column = N_OTHERS + 1 + i;
		Oid			type = pipeline_setting_type(i);
		bool		isnull = false;
		Datum		value = pipeline_setting_is_nullable(i) ?
			catalog_value_or_null(0, column, type, &isnull) :
			catalog_value(0, column, type);

		pipeline_setting_take(i, pipeline, value, isnull);
	}
	MemoryContextSwitchTo(old);
	return pipeline;
}

/*
 * The SQL of a load statement that finds a row by the column key, allocated in
 * TopMemoryContext.
 */
static char *
load_sql(const char *key)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "select " OTHER_COLUMNS);
	for (int i = 0; i < pipeline_setting_count(); i++)
		appendStringInfo(&sql, ", %s", pipeline_setting_get(i)->name);
	appendStringInfo(&sql, " from tracking.pipeline"
					 " where %s operator(pg_catalog.=) $1", key);
	return MemoryContextStrdup(TopMemoryContext, sql.data);
}

static Pipeline *
load(CatalogStatement *statement, const char *key, Datum value)
{
	MemoryContext cxt = CurrentMemoryContext;
	CatalogAccess access;
	Pipeline   *pipeline = NULL;

	if (statement->sql == NULL)
		statement->sql = load_sql(key);
	catalog_begin(&access);
	if (catalog_execute(statement, &value, NULL) > 0)
		pipeline = read_pipeline(cxt);
	catalog_end(&access);
	return pipeline;
}

Pipeline *
pipeline_load(const char *name)
{
	return load(&load_statement, "name", CStringGetTextDatum(name));
}

Pipeline *
pipeline_load_id(int32 id)
{
	return load(&load_id_statement, "id", Int32GetDatum(id));
}

bool
pipeline_lock(const Pipeline *pipeline)
{
	Datum		value = Int32GetDatum(pipeline->id);
	const Pipeline *now;

	if (catalog_change(&lock_statement, &value, NULL) == 0)
		return false;

	/*
	 * a new statement sees who owned the anchor when the lock was granted;
	 * the locking one has the snapshot of the time when it began to wait
	 */
	now = pipeline_load_id(pipeline->id);
	return now != NULL && now->generation == pipeline->generation &&
		now->owner == pipeline->owner;
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
name_datum(const char *text)
{
	NameData   *name = palloc(sizeof(NameData));

	namestrcpy(name, text);
	return NameGetDatum(name);
}

/*
 * Values for home_statement: the owner's name, and this server and database.
 */
static void
home_values(const Pipeline *pipeline, Datum *values)
{
	values[0] = name_datum(GetUserNameFromId(pipeline->owner, false));
	values[1] = Int64GetDatum((int64) GetSystemIdentifier());
	values[2] = ObjectIdGetDatum(MyDatabaseId);
}

/* Delete positions, dead letters, history and so on of this pipeline name. */
static void
delete_belongings(const char *pipeline)
{
	Datum		values[] = {CStringGetTextDatum(pipeline)};

	for (int i = 0; i < (int) lengthof(belongings_statements); i++)
		catalog_change(&belongings_statements[i], values, NULL);
}

/* ----------------------------------------------------------------
 * Statements for some of a row's columns
 * ---------------------------------------------------------------- */

/* An INSERT or UPDATE that sets some columns, while it is put together. */
typedef struct RowChange
{
	StringInfoData columns;		/* their names, separated by commas */
	StringInfoData values;		/* SQL of their values, likewise */
	CatalogStatement statement;
	Datum		arguments[CATALOG_MAX_ARGS];
	char		nulls[CATALOG_MAX_ARGS];
} RowChange;

static void
row_change_init(RowChange *change, const char *columns, const char *values)
{
	memset(change, 0, sizeof(*change));
	initStringInfo(&change->columns);
	initStringInfo(&change->values);
	appendStringInfoString(&change->columns, columns);
	appendStringInfoString(&change->values, values);
}

/* Add an argument; returns its number, from 1. */
static int
add_argument(RowChange *change, Oid type, Datum value, bool isnull)
{
	int			n = change->statement.n_args++;

	Assert(n < CATALOG_MAX_ARGS);
	change->statement.types[n] = type;
	change->arguments[n] = value;
	change->nulls[n] = isnull ? 'n' : ' ';
	return n + 1;
}

static void
add_column(RowChange *change, const char *column, Oid type, Datum value,
		   bool isnull)
{
	appendStringInfo(&change->columns, ", %s", column);
	appendStringInfo(&change->values, ", $%d",
					 add_argument(change, type, value, isnull));
}

static void
add_setting(RowChange *change, int setting, const Pipeline *pipeline)
{
	bool		isnull;
	Datum		value = pipeline_setting_value(setting, pipeline, &isnull);

	add_column(change, pipeline_setting_get(setting)->name,
			   pipeline_setting_type(setting), value, isnull);
}

void
pipeline_insert(Pipeline *pipeline)
{
	Datum		home[3];
	RowChange	change;

	pipeline->anchor = pipeline_anchor_create(pipeline->name,
											  pipeline->owner);
	home_values(pipeline, home);
	row_change_init(&change, "name", "$1");
	add_argument(&change, TEXTOID, CStringGetTextDatum(pipeline->name), false);
	add_column(&change, "anchor", NAMEOID, name_datum(pipeline->anchor), false);
	add_column(&change, "owner", NAMEOID, home[0], false);
	add_column(&change, "system_identifier", INT8OID, home[1], false);
	add_column(&change, "database", OIDOID, home[2], false);
	for (int i = 0; i < pipeline_setting_count(); i++)
		add_setting(&change, i, pipeline);
	change.statement.sql = psprintf("insert into tracking.pipeline (%s)"
									" values (%s)",
									change.columns.data, change.values.data);
	/* a restore may have left rows of an earlier pipeline with this name */
	delete_belongings(pipeline->name);
	catalog_change_once(&change.statement, change.arguments, change.nulls);
}

void
pipeline_save(const Pipeline *pipeline, const Bitmapset *named)
{
	RowChange	change;
	int			setting = -1;

	row_change_init(&change,
					"generation, retry_at, paused_until, granted_workers",
					"generation operator(pg_catalog.+) 1, null, null, null");
	add_argument(&change, INT4OID, Int32GetDatum(pipeline->id), false);
	while ((setting = bms_next_member(named, setting)) >= 0)
		add_setting(&change, setting, pipeline);
	change.statement.sql = psprintf("update tracking.pipeline"
									" set (%s) = row(%s)"
									" where id operator(pg_catalog.=) $1",
									change.columns.data, change.values.data);
	catalog_change_once(&change.statement, change.arguments, change.nulls);
}

void
pipeline_set_home(const Pipeline *pipeline)
{
	Datum		values[4] = {Int32GetDatum(pipeline->id)};

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
