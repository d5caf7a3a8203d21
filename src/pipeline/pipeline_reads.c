/*
 * pipeline_reads.c
 *	  Does a command read the source of its pipeline?
 *
 * A command that does not, as its author has named another table, would do the
 * same again with every batch.  Code whose queries cannot be seen, such as a
 * function, counts as reading.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "pipeline/pipeline_reads.h"
#include "pipeline/source_kind.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/rel.h"

/* The state of a walk through a command's queries. */
typedef struct Search
{
	const Pipeline *pipeline;
	const Query *query;			/* the innermost that the walk is in */
} Search;

/* PostgreSQL's own functions that run a query or read a table by its name. */
static const Oid readers[] = {
	F_CURSOR_TO_XML, F_CURSOR_TO_XMLSCHEMA, F_DATABASE_TO_XML,
	F_DATABASE_TO_XML_AND_XMLSCHEMA, F_QUERY_TO_XML,
	F_QUERY_TO_XML_AND_XMLSCHEMA, F_SCHEMA_TO_XML,
	F_SCHEMA_TO_XML_AND_XMLSCHEMA, F_TABLE_TO_XML,
	F_TABLE_TO_XML_AND_XMLSCHEMA, F_TS_REWRITE_TSQUERY_TEXT,
	F_TS_STAT_TEXT, F_TS_STAT_TEXT_TEXT
};

static bool
function_may_read(Oid function, void *unused)
{
	(void) unused;
	for (int i = 0; i < (int) lengthof(readers); i++)
	{
		if (function == readers[i])
			return true;
	}
	return function >= FirstUnpinnedObjectId &&
		func_volatile(function) != PROVOLATILE_IMMUTABLE;
}

static bool
inherits(Oid child, Oid parent)
{
	Oid			child_type = get_rel_type_id(child);
	Oid			parent_type = get_rel_type_id(parent);

	return OidIsValid(child_type) && OidIsValid(parent_type) &&
		typeInheritsFrom(child_type, parent_type);
}

/* Does a scan of this relation scan the source, or part of it? */
static bool
scans_source(const Pipeline *pipeline, const RangeTblEntry *rte)
{
	if (rte->rtekind != RTE_RELATION)
		return false;
	return rte->relid == pipeline->source ||
		(rte->inh && inherits(pipeline->source, rte->relid)) ||
		(!source_kind_of(pipeline)->yields_batch &&
		 inherits(rte->relid, pipeline->source));
}

static bool
triggers_may_read(Oid relid)
{
	Relation	relation = table_open(relid, AccessShareLock);
	const TriggerDesc *triggers = relation->trigdesc;
	bool		found = false;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		found |= function_may_read(triggers->triggers[i].tgfoid, NULL);
	table_close(relation, NoLock);
	return found;
}

/* Could a trigger on the target of a query, or on a child, read the source? */
static bool
target_may_read(const RangeTblEntry *target)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(target->relid, AccessShareLock, NULL))
	{
		if (triggers_may_read(lfirst_oid(cell)))
			return true;
	}
	return false;
}

static bool may_read(Node *node, void *arg);

static bool
query_may_read(Search *search, Query *query)
{
	const Query *outer = search->query;
	bool		found;

	search->query = query;
	found = query_tree_walker(query, may_read, search, 0);
	search->query = outer;
	if (!found && query->resultRelation > 0)
	{
		RangeTblEntry *target = rt_fetch(query->resultRelation,
										 query->rtable);

		found = (query->commandType != CMD_INSERT &&
				 scans_source(search->pipeline, target)) ||
			target_may_read(target);
	}
	return found;
}

/*
 * A relation is scanned if the join tree refers to it, by a RangeTblRef; range
 * table entries alone do not count.
 */
static bool
may_read(Node *node, void *arg)
{
	Search	   *search = arg;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_may_read(search, castNode(Query, node));
	if (IsA(node, RangeTblRef))
		return scans_source(search->pipeline,
							rt_fetch(castNode(RangeTblRef, node)->rtindex,
									 search->query->rtable));
	return check_functions_in_node(node, function_may_read, NULL) ||
		expression_tree_walker(node, may_read, search);
}

/*
 * A query within a utility statement (EXPLAIN, CREATE TABLE AS) has not been
 * rewritten yet: that happens when it is run.
 */
static bool
utility_may_read(Search *search, Node *utility)
{
	Query	   *query;

	switch (nodeTag(utility))
	{
		case T_CallStmt:
		case T_CopyStmt:
		case T_DoStmt:
		case T_ExecuteStmt:
		case T_RefreshMatViewStmt:
			return true;
		default:
			query = UtilityContainsQuery(utility);
			return query != NULL &&
				may_read((Node *) pg_rewrite_query(copyObject(query)), search);
	}
}

bool
pipeline_reads_source(const Pipeline *pipeline, SPIPlanPtr plan)
{
	Search		search = {.pipeline = pipeline};
	ListCell   *source_cell;

	foreach(source_cell, SPI_plan_get_plan_sources(plan))
	{
		const CachedPlanSource *source = lfirst(source_cell);
		ListCell   *cell;

		foreach(cell, source->query_list)
		{
			Query	   *query = lfirst_node(Query, cell);

			if (query->commandType == CMD_UTILITY ?
				utility_may_read(&search, query->utilityStmt) :
				query_may_read(&search, query))
				return true;
		}
	}
	return false;
}
