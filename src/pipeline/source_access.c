/*
 * source_access.c
 *	  What a pipeline may read of its source, and as whom.
 */
#include "postgres.h"

#include "access/table.h"
#include "base/compat.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "parser/analyze.h"
#include "pipeline/pipeline_owner.h"
#include "pipeline/pipeline_relation.h"
#include "pipeline/source_access.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

/* Hands the rows of an answer on. */
typedef struct RowReceiver
{
	DestReceiver base;
	const SourceQuery *query;
} RowReceiver;

/* ----------------------------------------------------------------
 * May it be read?
 * ---------------------------------------------------------------- */

static bool
is_table(Oid relation)
{
	char		relkind = get_rel_relkind(relation);

	return (relkind == RELKIND_RELATION ||
			relkind == RELKIND_PARTITIONED_TABLE) &&
		get_rel_persistence(relation) != RELPERSISTENCE_TEMP;
}

const SourceShape source_shape_table = {is_table, "an ordinary table"};

static void
check_shape(const Pipeline *pipeline, const SourceShape *shape,
			Relation source)
{
	if (shape->takes(RelationGetRelid(source)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\", the source of pipeline \"%s\", is no longer %s",
					RelationGetRelationName(source), pipeline->name,
					shape->noun),
			 errhint("Drop the pipeline and create it again with another source.")));
}

pg_noreturn static void
raise_denied(const Pipeline *pipeline, Relation source, const char *right)
{
	const char *role = GetUserNameFromId(pipeline->owner, true);

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for \"%s\", the source of pipeline \"%s\"",
					RelationGetRelationName(source), pipeline->name),
			 errdetail("Role \"%s\" owns the pipeline and may not read it.",
					   role == NULL ? "" : role),
			 role == NULL ? 0 :
			 errhint("GRANT %s TO %s.", right, quote_identifier(role))));
}

static void
check_granted(const Pipeline *pipeline, Relation source)
{
	Oid			schema = RelationGetNamespace(source);

	if (pg_class_aclcheck(RelationGetRelid(source), pipeline->owner,
						  ACL_SELECT) != ACLCHECK_OK)
		raise_denied(pipeline, source,
					 psprintf("SELECT ON %s",
							  pipeline_qualified_name(source)));
	if (!compat_may_use_schema(schema, pipeline->owner))
		raise_denied(pipeline, source,
					 psprintf("USAGE ON SCHEMA %s",
							  quote_identifier(get_namespace_name(schema))));
}

/*
 * We and the command read it as two roles, who must see the same rows: all of
 * them, unless the two are one.
 */
static void
check_row_security(const Pipeline *pipeline, Relation source)
{
	Oid			relid = RelationGetRelid(source);
	Oid			owner = source->rd_rel->relowner;

	if (owner == pipeline->owner ||
		(check_enable_rls(relid, pipeline->owner, true) != RLS_ENABLED &&
		 check_enable_rls(relid, owner, true) != RLS_ENABLED))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("\"%s\" cannot be the source of pipeline \"%s\": it is another role's, and has row security",
					RelationGetRelationName(source), pipeline->name),
			 errhint("Have its owner create the pipeline, or add the rows that are to be read to a table without row security.")));
}

/* The source, which stays locked until the transaction ends. */
static Relation
open_checked(const Pipeline *pipeline, const SourceShape *shape)
{
	Relation	source = pipeline_open_source(pipeline);

	/* it may have been locked before, when that is not done */
	AcceptInvalidationMessages();
	check_shape(pipeline, shape, source);
	check_granted(pipeline, source);
	check_row_security(pipeline, source);
	return source;
}

void
source_access_check(const Pipeline *pipeline, const SourceShape *shape)
{
	table_close(open_checked(pipeline, shape), NoLock);
}

/* ----------------------------------------------------------------
 * Reading it
 * ---------------------------------------------------------------- */

/*
 * Analyze a query over the source and nothing else.  It names it, and a schema
 * can be renamed under any lock, so that another relation is at that name: the
 * query has to have found the one that was checked, before any of it is run.
 */
static PlannedStmt *
plan(const char *sql, Relation source, ParamListInfo params)
{
	Oid			types[] = {INT8OID, INT8OID, INT8OID};
	List	   *statements = pg_parse_query(sql);
	Query	   *query = parse_analyze_fixedparams(linitial(statements), sql,
												  types, params->numParams,
												  NULL);
	ListCell   *cell;

	foreach(cell, query->rtable)
	{
		const RangeTblEntry *rte = lfirst(cell);

		if (rte->rtekind == RTE_RELATION &&
			rte->relid != RelationGetRelid(source))
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("\"%s\" was renamed while it was looked up",
							RelationGetRelationName(source))));
	}
	return pg_plan_query(linitial(pg_rewrite_query(query)), sql,
						 CURSOR_OPT_PARALLEL_OK, params);
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	const SourceQuery *query = ((RowReceiver *) self)->query;

	slot_getallattrs(slot);
	query->take(slot, query->arg);
	return true;
}

static void
receive_startup(DestReceiver *self, int operation, TupleDesc tupdesc)
{
	(void) self;
	(void) operation;
	(void) tupdesc;
}

static void
receive_end(DestReceiver *self)
{
	(void) self;
}

static ParamListInfo
make_params(const SourceQuery *query)
{
	ParamListInfo params = makeParamList(query->n_args);

	for (int i = 0; i < query->n_args; i++)
	{
		params->params[i].value = Int64GetDatum(query->args[i]);
		params->params[i].isnull = false;
		params->params[i].pflags = PARAM_FLAG_CONST;
		params->params[i].ptype = INT8OID;
	}
	return params;
}

static void
run(const SourceQuery *query, Relation source)
{
	RowReceiver receiver = {
		.base = {
			.receiveSlot = receive_row,
			.rStartup = receive_startup,
			.rShutdown = receive_end,
			.rDestroy = receive_end,
			.mydest = DestNone
		},
		.query = query
	};
	char	   *sql = psprintf("SELECT %s FROM %s AS source%s", query->columns,
							   pipeline_qualified_name(source), query->rest);
	ParamListInfo params = make_params(query);
	QueryDesc  *execution;

	PushActiveSnapshot(GetTransactionSnapshot());
	execution = CreateQueryDesc(plan(sql, source, params), sql,
								GetActiveSnapshot(), InvalidSnapshot,
								&receiver.base, params, NULL, 0);
	ExecutorStart(execution, 0);
	compat_executor_run(execution);
	ExecutorFinish(execution);
	ExecutorEnd(execution);
	FreeQueryDesc(execution);
	PopActiveSnapshot();
}

void
source_access_query(const Pipeline *pipeline, const SourceQuery *query)
{
	Relation	source = open_checked(pipeline, &source_shape_table);
	OwnerAccess access;

	owner_begin_for_us(&access, source->rd_rel->relowner);
	run(query, source);
	owner_end(&access);
	table_close(source, NoLock);
}

static Datum
value(TupleTableSlot *row, int column, Oid type)
{
	TupleDesc	tupdesc = row->tts_tupleDescriptor;

	if (TupleDescAttr(tupdesc, column - 1)->atttypid != type ||
		row->tts_isnull[column - 1])
		elog(ERROR, "column %d of an answer is null or not of type %u",
			 column, type);
	return row->tts_values[column - 1];
}

int64
source_access_int64(TupleTableSlot *row, int column)
{
	return DatumGetInt64(value(row, column, INT8OID));
}

char *
source_access_text(TupleTableSlot *row, int column)
{
	return TextDatumGetCString(value(row, column, TEXTOID));
}
