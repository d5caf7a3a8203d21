/*
 * catalog.c
 *	  Access to the tables of schema tracking.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/compat.h"
#include "base/search_path.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "ledger/catalog.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/*
 * The extension's owner; InvalidOid if it has to be looked up.  That takes a
 * scan, as pg_extension has no syscache, and a change of it sends no
 * invalidation.  But the owner does not change, and the extension is not
 * dropped, without a change to the extension's tables, which sends one.
 */
static Oid	known_owner = InvalidOid;

static bool executing = false;	/* execute() is running a statement */

static void
forget_owner(Datum arg, Oid relid)
{
	(void) arg;
	(void) relid;
	known_owner = InvalidOid;
}

static Oid
look_up_owner(void)
{
	Relation	relation = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			owner = InvalidOid;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum("tracking_fdw"));
	scan = systable_beginscan(relation, ExtensionNameIndexId, true, NULL, 1,
							  &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		owner = ((Form_pg_extension) GETSTRUCT(tuple))->extowner;
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	if (!OidIsValid(owner))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"tracking_fdw\" is not installed in this database"),
				 errhint("Run CREATE EXTENSION tracking_fdw.")));
	return owner;
}

static Oid
extension_owner(void)
{
	static bool following = false;

	if (!following)
		CacheRegisterRelcacheCallback(forget_owner, (Datum) 0);
	following = true;
	AcceptInvalidationMessages();
	if (!OidIsValid(known_owner))
		known_owner = look_up_owner();
	return known_owner;
}

void
catalog_begin(CatalogAccess *access)
{
	Oid			owner = extension_owner();

	GetUserIdAndSecContext(&access->userid, &access->sec_context);
	SetUserIdAndSecContext(owner, access->sec_context |
						   SECURITY_LOCAL_USERID_CHANGE);
	access->guc_nestlevel = NewGUCNestLevel();
	search_path_set(SEARCH_PATH_OURS);
	SPI_connect();
}

void
catalog_end(CatalogAccess *access)
{
	SPI_finish();
	AtEOXact_GUC(false, access->guc_nestlevel);
	SetUserIdAndSecContext(access->userid, access->sec_context);
}

/* Prepare a plan that lives until SPI is disconnected. */
static SPIPlanPtr
prepare(CatalogStatement *statement)
{
	SPIPlanPtr	plan = SPI_prepare(statement->sql, statement->n_args,
								   statement->types);

	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", statement->sql,
			 SPI_result_code_string(SPI_result));
	return plan;
}

static SPIPlanPtr
prepared(CatalogStatement *statement)
{
	if (statement->plan == NULL)
	{
		SPIPlanPtr	plan = prepare(statement);

		SPI_keepplan(plan);
		statement->plan = plan;
	}
	return statement->plan;
}

static uint64
executed(const CatalogStatement *statement, int rc)
{
	if (rc < 0)
		elog(ERROR, "could not execute \"%s\": %s", statement->sql,
			 SPI_result_code_string(rc));
	return SPI_processed;
}

static uint64
execute(const CatalogStatement *statement, SPIPlanPtr plan, Datum *values,
		const char *nulls)
{
	bool		outer = executing;
	volatile int rc = 0;

	executing = true;
	PG_TRY();
	{
		rc = SPI_execute_plan(plan, values, nulls, false, 0);
	}
	PG_FINALLY();
	{
		executing = outer;
	}
	PG_END_TRY();
	return executed(statement, rc);
}

uint64
catalog_execute(CatalogStatement *statement, Datum *values, const char *nulls)
{
	return execute(statement, prepared(statement), values, nulls);
}

uint64
catalog_change(CatalogStatement *statement, Datum *values, const char *nulls)
{
	CatalogAccess access;
	uint64		n;

	catalog_begin(&access);
	n = catalog_execute(statement, values, nulls);
	catalog_end(&access);
	return n;
}

uint64
catalog_change_once(CatalogStatement *statement, Datum *values,
					const char *nulls)
{
	CatalogAccess access;
	uint64		n;

	catalog_begin(&access);
	n = execute(statement, prepare(statement), values, nulls);
	catalog_end(&access);
	return n;
}

bool
catalog_is_executing(void)
{
	return executing;
}

uint64
catalog_execute_latest(CatalogStatement *statement, Datum *values)
{
	return executed(statement, SPI_execute_snapshot(prepared(statement),
													values, NULL,
													GetLatestSnapshot(),
													InvalidSnapshot, true,
													false, 0));
}

pg_noreturn static void
raise_null(int column)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("column \"%s\" of a row of schema tracking is null",
					SPI_fname(SPI_tuptable->tupdesc, column)),
			 errhint("Somebody has changed the tables of the extension.")));
}

static HeapTuple
row_of_answer(int row)
{
	if ((uint64) row >= SPI_tuptable->numvals)
		elog(ERROR, "an answer has no row %d", row);
	return SPI_tuptable->vals[row];
}

bool
catalog_is_null(int row, int column)
{
	bool		isnull;

	(void) SPI_getbinval(row_of_answer(row), SPI_tuptable->tupdesc, column,
						 &isnull);
	return isnull;
}

Datum
catalog_value_or_null(int row, int column, Oid type, bool *isnull)
{
	if (SPI_gettypeid(SPI_tuptable->tupdesc, column) != type)
		elog(ERROR, "column \"%s\" is of type %u instead of %u",
			 SPI_fname(SPI_tuptable->tupdesc, column),
			 SPI_gettypeid(SPI_tuptable->tupdesc, column), type);
	return SPI_getbinval(row_of_answer(row), SPI_tuptable->tupdesc, column,
						 isnull);
}

Datum
catalog_value(int row, int column, Oid type)
{
	bool		isnull;
	Datum		datum = catalog_value_or_null(row, column, type, &isnull);

	if (isnull)
		raise_null(column);
	return datum;
}

bool
catalog_bool(int row, int column)
{
	return DatumGetBool(catalog_value(row, column, BOOLOID));
}

int32
catalog_int32(int row, int column)
{
	return DatumGetInt32(catalog_value(row, column, INT4OID));
}

int64
catalog_int64(int row, int column)
{
	return DatumGetInt64(catalog_value(row, column, INT8OID));
}

double
catalog_float8(int row, int column)
{
	return DatumGetFloat8(catalog_value(row, column, FLOAT8OID));
}

Oid
catalog_oid(int row, int column)
{
	return DatumGetObjectId(catalog_value(row, column, OIDOID));
}

TimestampTz
catalog_time(int row, int column)
{
	return DatumGetTimestampTz(catalog_value(row, column, TIMESTAMPTZOID));
}

bytea *
catalog_bytea(int row, int column)
{
	return DatumGetByteaPP(catalog_value(row, column, BYTEAOID));
}

char *
catalog_text_or_null(MemoryContext cxt, int row, int column)
{
	char	   *text = SPI_getvalue(row_of_answer(row), SPI_tuptable->tupdesc,
									column);

	return text == NULL ? NULL : MemoryContextStrdup(cxt, text);
}

char *
catalog_text(MemoryContext cxt, int row, int column)
{
	char	   *text = catalog_text_or_null(cxt, row, column);

	if (text == NULL)
		raise_null(column);
	return text;
}

Datum
catalog_array(Datum *values, bool *isnull, int n, Oid type)
{
	bool		is_text = type == TEXTOID;
	int			dims[] = {n};
	int			bounds[] = {1};

	return PointerGetDatum(construct_md_array(values, isnull, 1, dims, bounds,
											  type, is_text ? -1 : 8,
											  is_text ? false : FLOAT8PASSBYVAL,
											  is_text ? TYPALIGN_INT :
											  TYPALIGN_DOUBLE));
}
