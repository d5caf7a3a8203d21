/*
 * store_modify.c
 *	  INSERT and COPY into a table of a store.
 *
 * The load method decides when rows are sent.  The last are sent at the end of
 * the statement, as part of it, so that it fails if the store does not take
 * them.
 */
#include "postgres.h"

#include "base/compat.h"
#include "config/config_store.h"
#include "fdw/store_fdw.h"
#include "store/store_name.h"
#include "store/store_writer.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct StoreModify
{
	MemoryContext cxt;
	StoreWriter *writer;
} StoreModify;

List *
storePlanForeignModify(PlannerInfo *root, ModifyTable *plan,
					   Index resultRelation, int subplan_index)
{
	(void) root;
	(void) resultRelation;
	(void) subplan_index;
	if (plan->onConflictAction != ONCONFLICT_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("INSERT with ON CONFLICT is not supported on a table of a store"),
				 errhint("Leave out duplicates in the query that is inserted.")));
	if (plan->returningLists != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("INSERT with RETURNING is not supported on a table of a store"),
				 errdetail("Rows are loaded many at a time, and the store returns nothing for each of them.")));
	return NIL;
}

static void
begin_modify(ResultRelInfo *rinfo, EState *estate)
{
	Relation	relation = rinfo->ri_RelationDesc;
	MemoryContext cxt = AllocSetContextCreate(estate->es_query_cxt,
											  "tracking_fdw store load",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	StoreModify *state = palloc0(sizeof(StoreModify));
	StoreTable *table = config_store_table(relation);
	Oid			userid = compat_modify_userid(rinfo, estate);
	StoreServer *server = config_store_server(table->serverid, userid);

	config_store_staging(server, userid);
	state->cxt = cxt;
	state->writer = store_writer_begin(cxt, server, table,
									   RelationGetDescr(relation), estate);
	MemoryContextSwitchTo(old);
	rinfo->ri_FdwState = state;
}

void
storeBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo,
						List *fdw_private, int subplan_index, int eflags)
{
	(void) fdw_private;
	(void) subplan_index;
	/* Do nothing in EXPLAIN (no ANALYZE) case: ri_FdwState stays NULL. */
	if (!(eflags & EXEC_FLAG_EXPLAIN_ONLY))
		begin_modify(rinfo, mtstate->ps.state);
}

void
storeBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rinfo)
{
	if (rinfo->ri_projectReturning != NULL ||
		(mtstate->ps.plan != NULL &&
		 ((ModifyTable *) mtstate->ps.plan)->onConflictAction != ONCONFLICT_NONE))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("INSERT with ON CONFLICT or RETURNING is not supported on partition \"%s\", which is in a store",
						RelationGetRelationName(rinfo->ri_RelationDesc))));
	begin_modify(rinfo, mtstate->ps.state);
}

TupleTableSlot *
storeExecForeignInsert(EState *estate, ResultRelInfo *rinfo,
					   TupleTableSlot *slot, TupleTableSlot *planSlot)
{
	StoreModify *state = rinfo->ri_FdwState;

	(void) estate;
	(void) planSlot;
	slot_getallattrs(slot);
	store_writer_row(state->writer, slot->tts_values, slot->tts_isnull);
	return slot;
}

void
storeEndForeignModify(EState *estate, ResultRelInfo *rinfo)
{
	StoreModify *state = rinfo->ri_FdwState;

	(void) estate;
	/* if ri_FdwState is NULL, we are in EXPLAIN; nothing to do */
	if (state == NULL)
		return;
	(void) store_writer_end(state->writer);
	MemoryContextDelete(state->cxt);
	rinfo->ri_FdwState = NULL;
}

void
storeEndForeignInsert(EState *estate, ResultRelInfo *rinfo)
{
	storeEndForeignModify(estate, rinfo);
}

void
storeExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo,
						  List *fdw_private, int subplan_index,
						  ExplainState *es)
{
	StoreTable *table;
	StringInfoData name;

	(void) mtstate;
	(void) fdw_private;
	(void) subplan_index;
	if (!es->verbose)
		return;
	table = config_store_table(rinfo->ri_RelationDesc);
	initStringInfo(&name);
	store_append_table(&name, table);
	ExplainPropertyText("Remote Table", name.data, es);
}
