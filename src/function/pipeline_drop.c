/*
 * pipeline_drop.c
 *	  What happens to a pipeline whose source, target or anchor is dropped.
 *
 * A row of tracking.pipeline cannot have entries in pg_depend, so an event
 * trigger does what dependencies would do: DROP fails, and DROP ... CASCADE
 * drops the pipelines, too.  The trigger knows the relations of source and
 * target only; if another object that a command uses is dropped, the command
 * fails when it is run.  When an owner drops an anchor (pipeline_anchor.h),
 * mostly by DROP OWNED, the pipeline is dropped as well.
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "ledger/catalog.h"
#include "ledger/pipeline_catalog.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "worker/worker.h"

PG_FUNCTION_INFO_V1(tracking_guard_drop);

/* A pipeline whose source, target or anchor is being dropped. */
typedef struct Bereft
{
	char	   *pipeline;
	char		lost;			/* 's'ource, 't'arget or 'a'nchor */
	char	   *object;			/* kind and name of the dropped object */
} Bereft;

static CatalogStatement bereft_statement = {
	"select p.name, case when d.objid operator(pg_catalog.=) p.source"
	" then 's' when d.objid operator(pg_catalog.=) p.target then 't'"
	" else 'a' end, d.object_type operator(pg_catalog.||) ' '"
	" operator(pg_catalog.||) d.object_identity"
	" from pg_catalog.pg_event_trigger_dropped_objects() d"
	" join tracking.pipeline p on"
	" (d.classid operator(pg_catalog.=)"
	" 'pg_catalog.pg_class'::pg_catalog.regclass"
	" and d.objsubid operator(pg_catalog.=) 0"
	" and (d.objid operator(pg_catalog.=) p.source"
	" or d.objid operator(pg_catalog.=) p.target))"
	" or (d.classid operator(pg_catalog.=)"
	" 'pg_catalog.pg_proc'::pg_catalog.regclass"
	" and d.schema_name operator(pg_catalog.=) 'tracking'"
	" and d.address_names[2] operator(pg_catalog.=) p.anchor)"
	" order by p.name, 3",
	0, {0}, NULL
};

/* The pipelines that the current command affects: Bereft *, sorted by name. */
static List *
bereft_pipelines(void)
{
	MemoryContext cxt = CurrentMemoryContext;
	CatalogAccess access;
	List	   *found = NIL;
	uint64		n;

	catalog_begin(&access);
	n = catalog_execute(&bereft_statement, NULL, NULL);
	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(cxt);
		Bereft	   *bereft = palloc(sizeof(Bereft));

		bereft->pipeline = catalog_text(cxt, i, 1);
		bereft->lost = catalog_text(cxt, i, 2)[0];
		bereft->object = catalog_text(cxt, i, 3);
		found = lappend(found, bereft);
		MemoryContextSwitchTo(old);
	}
	catalog_end(&access);
	return found;
}

/* Does the command have CASCADE? */
static bool
says_cascade(const Node *command)
{
	ListCell   *cell;

	switch (nodeTag(command))
	{
		case T_DropStmt:
			return castNode(DropStmt, command)->behavior == DROP_CASCADE;
		case T_DropOwnedStmt:
			return castNode(DropOwnedStmt, command)->behavior == DROP_CASCADE;
		case T_AlterDomainStmt:
			return castNode(AlterDomainStmt, command)->behavior == DROP_CASCADE;
		case T_AlterTableStmt:
			foreach(cell, castNode(AlterTableStmt, command)->cmds)
			{
				if (lfirst_node(AlterTableCmd, cell)->behavior == DROP_CASCADE)
					return true;
			}
			return false;
		default:
			return false;
	}
}

/* Is the pipeline itself dropped, as its anchor is? */
static bool
is_dropped(const char *pipeline, List *bereft)
{
	ListCell   *cell;

	foreach(cell, bereft)
	{
		const Bereft *other = lfirst(cell);

		if (other->lost == 'a' && strcmp(other->pipeline, pipeline) == 0)
			return true;
	}
	return false;
}

pg_noreturn static void
refuse(List *pipelines)
{
	const Bereft *first = linitial(pipelines);
	StringInfoData detail;
	ListCell   *cell;

	initStringInfo(&detail);
	foreach(cell, pipelines)
	{
		const Bereft *bereft = lfirst(cell);

		appendStringInfo(&detail, "%spipeline \"%s\" %s %s",
						 detail.len > 0 ? "\n" : "", bereft->pipeline,
						 bereft->lost == 's' ? "reads" : "fills",
						 bereft->object);
	}
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot drop %s because pipelines depend on it",
					first->object),
			 errdetail_internal("%s", detail.data),
			 errhint("Use DROP ... CASCADE to drop the pipelines too, with their positions and dead letters; or first SELECT tracking.drop_pipeline(%s).",
					 quote_literal_cstr(first->pipeline))));
}

/* Drop the pipelines: sorted by name; one may be in the list twice. */
static void
drop_along(List *pipelines)
{
	const char *dropped = "";
	ListCell   *cell;

	foreach(cell, pipelines)
	{
		const char *name = ((Bereft *) lfirst(cell))->pipeline;

		if (strcmp(name, dropped) == 0)
			continue;
		pipeline_delete(name);
		ereport(NOTICE,
				(errmsg("drop cascades to pipeline \"%s\"", name)));
		dropped = name;
	}
	supervisor_start_at_commit();
}

Datum
tracking_guard_drop(PG_FUNCTION_ARGS)
{
	const EventTriggerData *event;
	List	   *refused = NIL;
	List	   *pipelines;
	ListCell   *cell;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("tracking.guard_drop() is for an event trigger to call")));
	event = castNode(EventTriggerData, fcinfo->context);
	pipelines = bereft_pipelines();
	if (pipelines == NIL)
		PG_RETURN_NULL();

	foreach(cell, pipelines)
	{
		Bereft	   *bereft = lfirst(cell);

		if (!says_cascade(event->parsetree) &&
			!is_dropped(bereft->pipeline, pipelines))
			refused = lappend(refused, bereft);
	}
	if (refused != NIL)
		refuse(refused);
	drop_along(pipelines);
	PG_RETURN_NULL();
}
