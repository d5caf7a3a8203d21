/*
 * pipeline_relation.c
 *	  The relations that a pipeline reads and fills.
 */
#include "postgres.h"

#include "access/table.h"
#include "pipeline/pipeline_failure.h"
#include "pipeline/pipeline_relation.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static Relation
open_relation(const Pipeline *pipeline, Oid relid, LOCKMODE lock,
			  const char *role)
{
	Relation	relation = try_table_open(relid, lock);

	if (relation == NULL)
		ereport_domain(ERROR, PIPELINE_FAILURE_FINAL,
					   (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("the %s table of pipeline \"%s\" no longer exists",
							   role, pipeline->name),
						errhint("Drop the pipeline with tracking.drop_pipeline(%s) and create it again with the new table; its positions in tracking.checkpoint tell where it was.",
								quote_literal_cstr(pipeline->name))));
	return relation;
}

Relation
pipeline_open_source(const Pipeline *pipeline)
{
	return open_relation(pipeline, pipeline->source, AccessShareLock,
						 "source");
}

Relation
pipeline_open_target(const Pipeline *pipeline, LOCKMODE lock)
{
	return open_relation(pipeline, pipeline->target, lock, "target");
}

char *
pipeline_qualified_name(Relation relation)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
									  RelationGetRelationName(relation));
}
