/*
 * catalog.c
 *	  Statements on the extension's own tables.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "miscadmin.h"
#include "sink/catalog.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/*
 * The extension's owner; InvalidOid if it has to be looked up, which is a scan:
 * pg_extension has no cache.  Nobody is told of changes to it either, but the
 * owner does not change, nor does the extension go, without its tables.
 */
static Oid	known_owner = InvalidOid;

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
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	SPI_connect();
}

void
catalog_end(CatalogAccess *access)
{
	SPI_finish();
	AtEOXact_GUC(false, access->guc_nestlevel);
	SetUserIdAndSecContext(access->userid, access->sec_context);
}

static SPIPlanPtr
prepared(CatalogStatement *statement)
{
	SPIPlanPtr	plan = statement->plan;

	if (plan != NULL)
		return plan;
	plan = SPI_prepare(statement->sql, statement->n_args, statement->types);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare \"%s\": %s", statement->sql,
			 SPI_result_code_string(SPI_result));
	statement->plan = plan;
	return plan;
}

static uint64
executed(const CatalogStatement *statement, int rc)
{
	if (rc < 0)
		elog(ERROR, "could not execute \"%s\": %s", statement->sql,
			 SPI_result_code_string(rc));
	return SPI_processed;
}

uint64
catalog_execute(CatalogStatement *statement, Datum *values, const char *nulls)
{
	return executed(statement, SPI_execute_plan(prepared(statement), values,
												nulls, false, 0));
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

char *
catalog_text(MemoryContext cxt, int row, int column)
{
	char	   *text = SPI_getvalue(SPI_tuptable->vals[row],
									SPI_tuptable->tupdesc, column);

	return text == NULL ? NULL : MemoryContextStrdup(cxt, text);
}

Datum
catalog_datum(int row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 column, isnull);
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
