/*
 * source_key.c
 *	  A table as the source of a pipeline: its key column, and queries by it.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "ledger/catalog.h"
#include "pipeline/pipeline_relation.h"
#include "pipeline/source_access.h"
#include "pipeline/source_key.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#define IS_INTEGER \
	"a.atttypid operator(pg_catalog.=) any" \
	" (array['pg_catalog.int2', 'pg_catalog.int4', 'pg_catalog.int8']" \
	"::pg_catalog.regtype[])"
#define IS_PRIMARY \
	"exists (select from pg_catalog.pg_index i" \
	" where i.indrelid operator(pg_catalog.=) a.attrelid" \
	" and i.indisprimary and i.indnkeyatts operator(pg_catalog.=) 1" \
	" and i.indkey[0] operator(pg_catalog.=) a.attnum)"

/* The columns of a table that might be its key, the primary key first. */
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
	bool		is_ordered;		/* its sequence, if any, yields growing values
								 * to all sessions alike */
	bool		is_indexed;
	char	   *sequence;
} KeyColumn;

/*
 * Find the column with this name, or if name is NULL, the only one that can be
 * the key; false if there is none, or more than one.
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
		key->is_integer = catalog_bool(0, 2);
		key->is_not_null = catalog_bool(0, 3);
		key->is_primary = catalog_bool(0, 4);
		key->has_sequence = catalog_bool(0, 5);
		key->is_ordered = catalog_bool(0, 6);
		key->is_indexed = catalog_bool(0, 7);
		key->sequence = catalog_text_or_null(cxt, 0, 8);
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

/* The result of a query that yields one number. */
typedef struct Number
{
	int64		number;
	bool		found;			/* there was a row, with a value not null */
} Number;

static void
take_number(TupleTableSlot *row, void *arg)
{
	Number	   *answer = arg;

	answer->found = !row->tts_isnull[0];
	if (answer->found)
		answer->number = source_access_int64(row, 1);
}

void
source_key_check_rows(const Pipeline *pipeline)
{
	const char *key = quote_identifier(pipeline->source_key);
	Number		below = {0};
	SourceQuery query = {
		.columns = psprintf("source.%s::pg_catalog.int8", key),
		.rest = psprintf(" WHERE source.%s operator(pg_catalog.<) 0 LIMIT 1",
						 key),
		.take = take_number,
		.arg = &below
	};

	source_access_query(pipeline, &query);
	if (below.found)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("column \"%s\" of \"%s\" has a value below 0: " INT64_FORMAT,
						pipeline->source_key, get_rel_name(pipeline->source),
						below.number),
				 errhint("The keys of a pipeline's source begin at 0.")));
}

int64
source_key_newest(const Pipeline *pipeline)
{
	Number		newest = {.number = -1};
	SourceQuery query = {
		.columns = psprintf("pg_catalog.max(source.%s)::pg_catalog.int8",
							quote_identifier(pipeline->source_key)),
		.rest = "",
		.take = take_number,
		.arg = &newest
	};

	source_access_query(pipeline, &query);
	return newest.number;
}

/* Rows as JSON. */
typedef struct JsonRows
{
	MemoryContext cxt;
	StringInfo	text;			/* NULL: there was no row */
} JsonRows;

static void
take_json(TupleTableSlot *row, void *arg)
{
	JsonRows   *rows = arg;
	MemoryContext old = MemoryContextSwitchTo(rows->cxt);

	if (rows->text == NULL)
		rows->text = makeStringInfo();
	else
		appendStringInfoChar(rows->text, '\n');
	appendStringInfoString(rows->text, source_access_text(row, 1));
	MemoryContextSwitchTo(old);
}

char *
source_key_rows(const Pipeline *pipeline, int64 key)
{
	JsonRows	rows = {.cxt = CurrentMemoryContext};
	SourceQuery query = {
		.columns = "pg_catalog.row_to_json(source.*)::pg_catalog.text",
		.rest = psprintf(" WHERE source.%s operator(pg_catalog.=) $1",
						 quote_identifier(pipeline->source_key)),
		.args = &key,
		.n_args = 1,
		.take = take_json,
		.arg = &rows
	};

	source_access_query(pipeline, &query);
	return rows.text == NULL ? NULL : rows.text->data;
}

/*
 * SQL for the stored size of a row, in bytes: it does not fetch values that
 * are stored out of line.
 */
static char *
stored_size(const Pipeline *pipeline)
{
	Relation	source = pipeline_open_source(pipeline);
	TupleDesc	tupdesc = RelationGetDescr(source);
	int			fixed = SizeofHeapTupleHeader;
	StringInfoData size;

	initStringInfo(&size);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);

		if (attribute->attisdropped)
			continue;
		if (attribute->attlen > 0)
			fixed += attribute->attlen;
		else
			appendStringInfo(&size, "coalesce(pg_catalog.pg_column_size(source.%s), 0)"
							 " operator(pg_catalog.+) ",
							 quote_identifier(NameStr(attribute->attname)));
	}
	appendStringInfo(&size, "%d", fixed);
	table_close(source, AccessShareLock);
	return size.data;
}

/* An array that take_key() fills; the query's LIMIT is its size. */
typedef struct KeyList
{
	SourceRow  *rows;
	int			n;
} KeyList;

static void
take_key(TupleTableSlot *row, void *arg)
{
	KeyList    *list = arg;

	list->rows[list->n].key = source_access_int64(row, 1);
	list->rows[list->n++].bytes = source_access_int64(row, 2);
}

SourceRow *
source_key_list(const Pipeline *pipeline, int64 after, int64 upto,
				int max_rows, int *n)
{
	const char *key = quote_identifier(pipeline->source_key);
	int64		args[] = {after, upto, max_rows};
	KeyList		list = {.rows = palloc(max_rows * sizeof(SourceRow))};
	SourceQuery query = {
		.columns = psprintf("source.%s::pg_catalog.int8,"
							" (%s)::pg_catalog.int8",
							key, stored_size(pipeline)),
		.rest = psprintf(" WHERE source.%s operator(pg_catalog.>) $1"
						 " AND source.%s operator(pg_catalog.<=) $2"
						 " ORDER BY source.%s LIMIT $3", key, key, key),
		.args = args,
		.n_args = lengthof(args),
		.take = take_key,
		.arg = &list
	};

	source_access_query(pipeline, &query);
	*n = list.n;
	return list.rows;
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
source_key_start(const Pipeline *pipeline, const char *start_at,
				 StreamPosition *position)
{
	if (pg_strcasecmp(start_at, "trim_horizon") == 0)
		position_after_key(position, -1);
	else if (pg_strcasecmp(start_at, "latest") == 0)
		position_after_key(position, source_key_newest(pipeline));
	else if (start_at[0] != '\0' &&
			 strspn(start_at, "0123456789") == strlen(start_at))
		position_after_key(position, pg_strtoint64(start_at));
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot start at \"%s\" in a table", start_at),
				 errhint("Use \"trim_horizon\" for the first row, \"latest\" for the next new one, or the key of the last row to leave out.")));
}
