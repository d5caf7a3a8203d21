/*
 * source_key.c
 *	  Which column a table is read by, and what it says.
 */
#include "postgres.h"

#include "access/table.h"
#include "base/search_path.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "sink/catalog.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "worker/pipeline_owner.h"
#include "worker/pipeline_target.h"
#include "worker/source_key.h"

#define IS_INTEGER \
	"a.atttypid operator(pg_catalog.=) any" \
	" (array['pg_catalog.int2', 'pg_catalog.int4', 'pg_catalog.int8']" \
	"::pg_catalog.regtype[])"
#define IS_PRIMARY \
	"exists (select from pg_catalog.pg_index i" \
	" where i.indrelid operator(pg_catalog.=) a.attrelid" \
	" and i.indisprimary and i.indnkeyatts operator(pg_catalog.=) 1" \
	" and i.indkey[0] operator(pg_catalog.=) a.attnum)"

/* Columns of a table that might be its key, the likeliest first. */
static CatalogStatement columns_statement = {
	"select a.attname::pg_catalog.text, " IS_INTEGER ", a.attnotnull,"
	" " IS_PRIMARY " as is_primary,"
	" s.seqrelid is not null as has_sequence,"
	" coalesce(s.seqcache operator(pg_catalog.=) 1"
	" and s.seqincrement operator(pg_catalog.>) 0 and not s.seqcycle, true),"
	" exists (select from pg_catalog.pg_index i"
	" where i.indrelid operator(pg_catalog.=) a.attrelid"
	" and i.indkey[0] operator(pg_catalog.=) a.attnum"
	" and i.indisvalid and i.indpred is null),"
	" s.seqrelid::pg_catalog.regclass::pg_catalog.text"
	" from pg_catalog.pg_attribute a left join"
	" (pg_catalog.pg_depend d join pg_catalog.pg_sequence s"
	" on s.seqrelid operator(pg_catalog.=) d.objid"
	" and d.classid operator(pg_catalog.=)"
	" 'pg_catalog.pg_class'::pg_catalog.regclass"
	" and (d.deptype operator(pg_catalog.=) 'a'"
	" or d.deptype operator(pg_catalog.=) 'i'))"
	" on d.refclassid operator(pg_catalog.=)"
	" 'pg_catalog.pg_class'::pg_catalog.regclass"
	" and d.refobjid operator(pg_catalog.=) a.attrelid"
	" and d.refobjsubid operator(pg_catalog.=) a.attnum"
	" where a.attrelid operator(pg_catalog.=) $1"
	" and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped"
	" and case when $2 is not null then a.attname operator(pg_catalog.=) $2"
	" else " IS_INTEGER
	" and (s.seqrelid is not null or " IS_PRIMARY ") end"
	" order by is_primary desc, a.attnum",
	2, {OIDOID, TEXTOID}, NULL
};

typedef struct KeyColumn
{
	char	   *name;
	bool		is_integer;
	bool		is_not_null;
	bool		is_primary;
	bool		has_sequence;
	bool		is_ordered;		/* by its sequence, if it has one */
	bool		is_indexed;
	char	   *sequence;
} KeyColumn;

bool
source_key_is_table(Oid relation)
{
	char		relkind = get_rel_relkind(relation);

	return (relkind == RELKIND_RELATION ||
			relkind == RELKIND_PARTITIONED_TABLE) &&
		get_rel_persistence(relation) != RELPERSISTENCE_TEMP;
}

static bool
column_flag(int column)
{
	bool		isnull;

	return DatumGetBool(catalog_datum(0, column, &isnull));
}

/*
 * The column with this name, or the one that is the key by itself; false if
 * there is none, or more than one.
 */
static bool
find_column(Oid table, const char *name, KeyColumn *key)
{
	MemoryContext cxt = CurrentMemoryContext;
	Datum		values[] = {
		ObjectIdGetDatum(table),
		name == NULL ? (Datum) 0 : CStringGetTextDatum(name)
	};
	CatalogAccess access;
	uint64		n;

	catalog_begin(&access);
	n = catalog_execute(&columns_statement, values, name == NULL ? " n" : NULL);
	if (n > 0)
	{
		key->name = catalog_text(cxt, 0, 1);
		key->is_integer = column_flag(2);
		key->is_not_null = column_flag(3);
		key->is_primary = column_flag(4);
		key->has_sequence = column_flag(5);
		key->is_ordered = column_flag(6);
		key->is_indexed = column_flag(7);
		key->sequence = catalog_text(cxt, 0, 8);
	}
	catalog_end(&access);
	return n == 1 || (n > 1 && key->is_primary);
}

static void
check_column(Oid table, const KeyColumn *key)
{
	const char *table_name = get_rel_name(table);

	if (!key->is_integer)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of \"%s\" cannot be the key of a pipeline's source: it is no integer",
						key->name, table_name),
				 errhint("The key is a smallint, integer or bigint that grows with every row, such as an identity column: source_key => '...'.")));
	if (!key->is_not_null)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"%s\" of \"%s\" cannot be the key of a pipeline's source: it may be null",
						key->name, table_name),
				 errhint("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL.",
						 quote_identifier(table_name),
						 quote_identifier(key->name))));
	if (!key->is_indexed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"%s\" of \"%s\" cannot be the key of a pipeline's source: it has no index",
						key->name, table_name),
				 errhint("CREATE UNIQUE INDEX ON %s (%s).",
						 quote_identifier(table_name),
						 quote_identifier(key->name))));
	if (!key->is_ordered)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"%s\" of \"%s\" cannot be the key of a pipeline's source: its values do not come in order",
						key->name, table_name),
				 errdetail("A row may get a key below one that the pipeline has read, and would be left out."),
				 errhint("ALTER SEQUENCE %s CACHE 1 NO CYCLE, with a positive increment.",
						 key->sequence)));
}

char *
source_key_choose(Oid table, const char *column)
{
	KeyColumn	key;

	if (!find_column(table, column, &key))
	{
		if (column != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of table \"%s\" does not exist",
							column, get_rel_name(table)),
					 errhint("source_key names the column by whose values the pipeline reads the table.")));
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("it is not clear by which column to read \"%s\"",
						get_rel_name(table)),
				 errdetail("It has neither an integer as its primary key nor exactly one identity or serial column."),
				 errhint("Name a column whose values grow with every row: source_key => '...'.")));
	}
	check_column(table, &key);
	return key.name;
}

/* The source as it stands in SQL. */
static char *
source_name(const Pipeline *pipeline)
{
	Relation	source = pipeline_open_source(pipeline);
	char	   *name = pipeline_qualified_name(source);

	table_close(source, AccessShareLock);
	return name;
}

/*
 * Ask the source something, as the pipeline's owner: the rows are in
 * SPI_tuptable until finish_query().
 */
static uint64
query(const Pipeline *pipeline, OwnerAccess *access, const char *sql,
	  int n_args, Datum *args)
{
	Oid			types[] = {INT8OID, INT8OID, INT8OID};
	int			rc;

	owner_begin(access, pipeline, SEARCH_PATH_OURS);
	SPI_connect();
	rc = SPI_execute_with_args(sql, n_args, types, args, NULL, false, 0);
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\": %s", sql,
			 SPI_result_code_string(rc));
	return SPI_processed;
}

static void
finish_query(const OwnerAccess *access)
{
	SPI_finish();
	owner_end(access);
}

/* Ask for one number; false if the answer is null or has no row. */
static bool
query_number(const Pipeline *pipeline, const char *sql, int64 *number)
{
	OwnerAccess access;
	bool		isnull = true;

	if (query(pipeline, &access, sql, 0, NULL) > 0)
		*number = DatumGetInt64(catalog_datum(0, 1, &isnull));
	finish_query(&access);
	return !isnull;
}

void
source_key_check_rows(const Pipeline *pipeline)
{
	const char *key = quote_identifier(pipeline->source_key);
	int64		found;

	if (query_number(pipeline,
					 psprintf("SELECT %s::pg_catalog.int8 FROM %s"
							  " WHERE %s OPERATOR(pg_catalog.<) 0 LIMIT 1",
							  key, source_name(pipeline), key), &found))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("column \"%s\" of \"%s\" has a value below 0: " INT64_FORMAT,
						pipeline->source_key, get_rel_name(pipeline->source),
						found),
				 errhint("The keys of a pipeline's source begin at 0.")));
}

int64
source_key_newest(const Pipeline *pipeline)
{
	int64		newest;

	if (!query_number(pipeline,
					  psprintf("SELECT pg_catalog.max(%s)::pg_catalog.int8 FROM %s",
							   quote_identifier(pipeline->source_key),
							   source_name(pipeline)), &newest))
		return -1;
	return newest;
}

char *
source_key_rows(const Pipeline *pipeline, int64 key)
{
	MemoryContext cxt = CurrentMemoryContext;
	char	   *sql = psprintf("SELECT pg_catalog.string_agg("
							   "pg_catalog.row_to_json(source.*)::pg_catalog.text, E'\\n')"
							   " FROM %s AS source"
							   " WHERE %s OPERATOR(pg_catalog.=) $1",
							   source_name(pipeline),
							   quote_identifier(pipeline->source_key));
	Datum		args[] = {Int64GetDatum(key)};
	OwnerAccess access;
	char	   *rows;

	query(pipeline, &access, sql, lengthof(args), args);
	rows = catalog_text(cxt, 0, 1);
	finish_query(&access);
	return rows;
}

/* What a row takes where it is stored, without fetching what is out of line. */
static char *
stored_size(const Pipeline *pipeline)
{
	Relation	source = pipeline_open_source(pipeline);
	TupleDesc	tupdesc = RelationGetDescr(source);
	StringInfoData size;

	initStringInfo(&size);
	appendStringInfo(&size, "%d", (int) SizeofHeapTupleHeader);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);

		if (attribute->attisdropped)
			continue;
		if (attribute->attlen > 0)
			appendStringInfo(&size, " OPERATOR(pg_catalog.+) %d",
							 attribute->attlen);
		else
			appendStringInfo(&size, " OPERATOR(pg_catalog.+)"
							 " coalesce(pg_catalog.pg_column_size(%s), 0)",
							 quote_identifier(NameStr(attribute->attname)));
	}
	table_close(source, AccessShareLock);
	return size.data;
}

SourceRow *
source_key_list(const Pipeline *pipeline, int64 after, int64 upto,
				int max_rows, int *n)
{
	MemoryContext cxt = CurrentMemoryContext;
	const char *key = quote_identifier(pipeline->source_key);
	char	   *sql = psprintf("SELECT %s::pg_catalog.int8,"
							   " (%s)::pg_catalog.int8 FROM %s"
							   " WHERE %s OPERATOR(pg_catalog.>) $1"
							   " AND %s OPERATOR(pg_catalog.<=) $2"
							   " ORDER BY %s LIMIT $3",
							   key, stored_size(pipeline),
							   source_name(pipeline), key, key, key);
	Datum		args[] = {
		Int64GetDatum(after), Int64GetDatum(upto), Int64GetDatum(max_rows)
	};
	OwnerAccess access;
	SourceRow  *rows;

	*n = query(pipeline, &access, sql, lengthof(args), args);
	rows = MemoryContextAlloc(cxt, Max(*n, 1) * sizeof(SourceRow));
	for (int i = 0; i < *n; i++)
	{
		bool		isnull;

		rows[i].key = DatumGetInt64(catalog_datum(i, 1, &isnull));
		rows[i].bytes = DatumGetInt64(catalog_datum(i, 2, &isnull));
	}
	finish_query(&access);
	return rows;
}

int64
source_key_of_position(const StreamPosition *position)
{
	if (position->kind == POSITION_TRIM_HORIZON)
		return -1;
	if (position->kind != POSITION_AFTER_SEQUENCE ||
		position->sub_sequence >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("\"%s\" is no position in a table",
						position_to_text(position)),
				 errhint("Set it with tracking.reset_pipeline().")));
	return pg_strtoint64(position->sequence);
}

void
source_key_to_position(int64 key, StreamPosition *position)
{
	memset(position, 0, sizeof(*position));
	position->sub_sequence = -1;
	if (key < 0)
		position->kind = POSITION_TRIM_HORIZON;
	else
	{
		position->kind = POSITION_AFTER_SEQUENCE;
		snprintf(position->sequence, sizeof(position->sequence), INT64_FORMAT,
				 key);
	}
}

void
source_key_start(const Pipeline *pipeline, const char *start_at,
				 StreamPosition *position)
{
	if (pg_strcasecmp(start_at, "trim_horizon") == 0)
		source_key_to_position(-1, position);
	else if (pg_strcasecmp(start_at, "latest") == 0)
		source_key_to_position(source_key_newest(pipeline), position);
	else if (start_at[0] != '\0' &&
			 strspn(start_at, "0123456789") == strlen(start_at))
		source_key_to_position(pg_strtoint64(start_at), position);
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot start at \"%s\" in a table", start_at),
				 errhint("Use \"trim_horizon\" for the first row, \"latest\" for the next new one, or the key of the last row to leave out.")));
}
