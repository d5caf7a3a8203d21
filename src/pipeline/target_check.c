/*
 * target_check.c
 *	  Whether a pipeline may, and should, write to its target.
 *
 * This is checked when the pipeline is created or altered; when it runs, the
 * executor checks permissions.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/parsetree.h"
#include "pipeline/pipeline_relation.h"
#include "pipeline/pipeline_target.h"
#include "pipeline/target_check.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/rel.h"

static void
check_kind(const Pipeline *pipeline)
{
	Oid			target = pipeline->target;
	char		relkind = get_rel_relkind(target);

	if (target == pipeline->source)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" cannot be both source and target",
						get_rel_name(target)),
				 errdetail("Every record that the pipeline writes would be one more to read, without end.")));
	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE &&
		relkind != RELKIND_VIEW && relkind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", get_rel_name(target))));
}

/*
 * INSERT is granted on some columns only: raise an error unless these are all
 * that the pipeline would fill.
 */
static void
check_columns(const Pipeline *pipeline)
{
	Relation	source = pipeline_open_source(pipeline);
	Relation	target = table_open(pipeline->target, AccessShareLock);
	Bitmapset  *filled = pipeline_target_filled(target,
												RelationGetDescr(source));
	int			column = -1;

	while ((column = bms_next_member(filled, column)) >= 0)
	{
		const char *name = get_attname(pipeline->target, column, false);
		const char *role = GetUserNameFromId(pipeline->owner, false);

		if (pg_attribute_aclcheck(pipeline->target, column, pipeline->owner,
								  ACL_INSERT) == ACLCHECK_OK)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for column \"%s\" of table \"%s\"",
						name, RelationGetRelationName(target)),
				 errdetail("Role \"%s\" owns the pipeline and may not fill it.",
						   role),
				 errhint("GRANT INSERT (%s) ON %s TO %s. Or give a command that leaves the column out.",
						 quote_identifier(name),
						 pipeline_qualified_name(target),
						 quote_identifier(role))));
	}
	table_close(target, AccessShareLock);
	table_close(source, AccessShareLock);
}

void
target_check(const Pipeline *pipeline)
{
	Oid			target = pipeline->target;
	AclResult	acl;

	check_kind(pipeline);
	acl = pg_class_aclcheck(target, pipeline->owner, ACL_INSERT);
	if (acl == ACLCHECK_OK || get_rel_relkind(target) == RELKIND_VIEW)
		return;
	if (pg_attribute_aclcheck_all(target, pipeline->owner, ACL_INSERT,
								  ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_TABLE, get_rel_name(target));
	check_columns(pipeline);
}

/* ----------------------------------------------------------------
 * Tables that lose their rows at the end of the session, or in a crash
 * ---------------------------------------------------------------- */

static void
check_stays(const Pipeline *pipeline, Oid relid)
{
	char		persistence = get_rel_persistence(relid);
	const char *name = get_rel_name(relid);

	if (persistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("a pipeline cannot fill the temporary table \"%s\"",
						name),
				 errdetail("No other session can see its rows, and it is dropped when this session ends."),
				 errhint("Use an ordinary table.")));
	if (persistence == RELPERSISTENCE_UNLOGGED)
		ereport(WARNING,
				(errmsg("pipeline \"%s\" fills the unlogged table \"%s\"",
						pipeline->name, name),
				 errdetail("A crash of the server empties it, and a standby has none of its rows. The positions of the pipeline stay, so the rows that it had are not read again."),
				 errhint("ALTER TABLE ... SET LOGGED. Or, after a crash, read again what the source still has: SELECT tracking.reset_pipeline(%s, 'trim_horizon').",
						 quote_literal_cstr(pipeline->name))));
}

static void
check_query(const Pipeline *pipeline, Query *query)
{
	ListCell   *cell;

	foreach(cell, query->cteList)
	{
		const CommonTableExpr *cte = lfirst(cell);

		check_query(pipeline, castNode(Query, cte->ctequery));
	}
	if (query->commandType == CMD_UTILITY || query->resultRelation == 0)
		return;
	/* each partition may be temporary or unlogged on its own */
	foreach(cell, find_all_inheritors(rt_fetch(query->resultRelation,
											   query->rtable)->relid,
									  AccessShareLock, NULL))
		check_stays(pipeline, lfirst_oid(cell));
}

void
target_check_written(const Pipeline *pipeline, SPIPlanPtr plan)
{
	ListCell   *source;

	foreach(source, SPI_plan_get_plan_sources(plan))
	{
		ListCell   *query;

		foreach(query, ((CachedPlanSource *) lfirst(source))->query_list)
			check_query(pipeline, lfirst_node(Query, query));
	}
}
