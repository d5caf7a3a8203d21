/*
 * store_scan.c
 *	  Scanning a table in a store, by a cursor.
 *
 * If the store has one cursor at a time, and another scan needs it, the
 * remaining rows are fetched into a tuplestore.  So are all rows of a scan
 * that is older than the current savepoint, as a rollback to the savepoint
 * would end the cursor, but not the scan.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/compat.h"
#include "base/text_settings.h"
#include "config/config_store.h"
#include "fdw/store_fdw.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "store/dialect.h"
#include "store/store_cursor.h"
#include "store/store_session.h"
#include "store/store_use.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

typedef struct StoreColumnInput
{
	int			attribute;		/* from 0 */
	FmgrInfo	function;
	Oid			ioparam;
	int32		typmod;
} StoreColumnInput;

typedef struct StoreScan
{
	StoreServer *server;
	StoreTable *table;
	TupleDesc	tupdesc;
	SubTransactionId subid;		/* that the scan began in */
	StoreUse	use;
	List	   *operands;		/* ExprState *: the operands of the SQL */
	bool		depends;		/* other plan nodes compute operands */
	int			n_columns;		/* of the SELECT */
	StoreColumnInput *columns;
	int			settings;		/* for text_settings_begin(), when values are
								 * read */
	MemoryContext row_cxt;		/* of the values of a row */
	bool		began;			/* the cursor was opened */
	StoreCursor *cursor;		/* NULL: it is not open */
	bool		converting;		/* the cursor's row is being converted */

	/* rows that were fetched so that the cursor could be closed */
	Tuplestorestate *rest;
	bool		from_rest;		/* rows come from rest, not the cursor */
	TupleTableSlot *rest_slot;
} StoreScan;

static void
open_columns(StoreScan *state, List *wanted)
{
	ListCell   *cell;

	state->columns = palloc0(sizeof(StoreColumnInput) * (list_length(wanted) + 1));
	foreach(cell, wanted)
	{
		StoreColumnInput *column = &state->columns[state->n_columns++];
		Form_pg_attribute attribute = TupleDescAttr(state->tupdesc,
													lfirst_int(cell) - 1);
		Oid			input;

		column->attribute = lfirst_int(cell) - 1;
		column->typmod = attribute->atttypmod;
		getTypeInputInfo(attribute->atttypid, &input, &column->ioparam);
		fmgr_info(input, &column->function);
		state->settings |= text_settings_of(attribute->atttypid) & TEXT_MONEY;
	}
}

static const char *
row_lock(ForeignScan *plan)
{
	return strVal(list_nth(plan->fdw_private, STORE_PRIVATE_LOCK));
}

static void
check_row_lock(ForeignScanState *node, const StoreDialect *dialect)
{
	StoreScan  *state = node->fdw_state;

	if (!dialect->has_row_locks &&
		row_lock((ForeignScan *) node->ss.ps.plan)[0] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot lock rows of table \"%s\" in store \"%s\"",
						state->table->name, state->server->name),
				 errdetail("%s locks tables only.", dialect->title),
				 errhint("Name the tables whose rows are to be locked: FOR UPDATE OF ...")));
}

/* The SELECT, with the current values of its operands. */
static char *
current_sql(ForeignScanState *node, const StoreDialect *dialect)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	StoreScan  *state = node->fdw_state;
	List	   *pieces = list_nth(plan->fdw_private, STORE_PRIVATE_SQL);
	ExprContext *econtext = node->ss.ps.ps_ExprContext;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, strVal(linitial(pieces)));
	for (int i = 0; i < list_length(state->operands); i++)
	{
		bool		isnull;
		Datum		value = ExecEvalExprSwitchContext(list_nth(state->operands, i),
													  econtext, &isnull);

		store_operand_append(&sql, dialect,
							 exprType(list_nth(plan->fdw_exprs, i)), value,
							 isnull);
		appendStringInfoString(&sql, strVal(list_nth(pieces, i + 1)));
	}
	appendStringInfoString(&sql, row_lock(plan));
	return sql.data;
}

/* Says which column an input function failed on. */
static void
input_error_callback(void *arg)
{
	errcontext("column \"%s\" of a row from a store", (const char *) arg);
}

/* Make values of the cursor's row; they live in row_cxt. */
static void
convert_row(StoreScan *state, Datum *values, bool *isnull)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = input_error_callback
	};
	MemoryContext old = MemoryContextSwitchTo(state->row_cxt);
	int			level = text_settings_begin(state->settings);

	error_context_stack = &callback;
	state->converting = true;
	for (int i = 0; i < state->tupdesc->natts; i++)
		isnull[i] = true;
	for (int i = 0; i < state->n_columns; i++)
	{
		StoreColumnInput *column = &state->columns[i];
		char	   *text = store_cursor_text(state->cursor, i);

		callback.arg = unconstify(char *, state->table->columns[column->attribute]);
		values[column->attribute] = InputFunctionCall(&column->function, text,
													  column->ioparam,
													  column->typmod);
		isnull[column->attribute] = text == NULL;
	}
	state->converting = false;
	text_settings_end(level);
	error_context_stack = callback.previous;
	MemoryContextSwitchTo(old);
}

static void
close_cursor(StoreScan *state)
{
	StoreCursor *cursor = state->cursor;

	state->cursor = NULL;
	if (cursor != NULL)
		store_cursor_close(cursor);
}

/*
 * Fetch the remaining rows, and close the cursor: for another scan, or before
 * a rollback that would end the cursor.
 */
static void
fetch_rest(void *arg)
{
	StoreScan  *state = arg;
	Datum	   *values = palloc0(sizeof(Datum) * Max(state->tupdesc->natts, 1));
	bool	   *isnull = palloc0(sizeof(bool) * Max(state->tupdesc->natts, 1));

	if (state->converting)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot use store \"%s\" while a row of its table \"%s\" is read",
						state->server->name, state->table->name),
				 errdetail("The function of a type or a domain uses the store, which has one cursor at a time.")));
	state->from_rest = true;
	while (store_cursor_next(state->cursor))
	{
		/* the values of the last row may still be in use */
		MemoryContext in_use = state->row_cxt;

		state->row_cxt = AllocSetContextCreate(CurrentMemoryContext,
											   "tracking_fdw store row",
											   ALLOCSET_DEFAULT_SIZES);
		convert_row(state, values, isnull);
		tuplestore_putvalues(state->rest, state->tupdesc, values, isnull);
		MemoryContextDelete(state->row_cxt);
		state->row_cxt = in_use;
	}
	close_cursor(state);
}

static void
open_cursor(ForeignScanState *node)
{
	StoreScan  *state = node->fdw_state;
	StoreConnection *connection = store_session_use(state->server);
	const StoreDialect *dialect = store_dialect(connection);

	check_row_lock(node, dialect);
	store_use_loads_first(&state->use);
	state->cursor = store_cursor_open(node->ss.ps.state->es_query_cxt,
									  state->server, connection,
									  current_sql(node, dialect),
									  Max(state->n_columns, 1), fetch_rest,
									  state);
	state->began = true;
	if (state->subid != GetCurrentSubTransactionId() &&
		store_session_has_savepoints(state->server))
		fetch_rest(state);
}

static bool
depends_on_nodes(List *operands)
{
	ListCell   *cell;

	foreach(cell, operands)
	{
		const Param *operand = lfirst(cell);

		if (IsA(operand, Param) && operand->paramkind == PARAM_EXEC)
			return true;
	}
	return false;
}

/*
 * A load begins, which this scan must not see: open the cursor now, unless its
 * operands are not known yet.
 */
static void
begin_early(void *arg)
{
	ForeignScanState *node = arg;
	StoreScan  *state = node->fdw_state;

	if (!state->began && !state->depends)
		open_cursor(node);
}

static void
note_use(ForeignScanState *node)
{
	StoreScan  *state = node->fdw_state;

	state->use.kind = STORE_USE_SCAN;
	state->use.mapping = state->server->mapping;
	state->use.query = node->ss.ps.state;
	state->use.depth = GetCurrentTransactionNestLevel();
	state->use.go = begin_early;
	state->use.arg = node;
	store_use_note(node->ss.ps.state->es_query_cxt, &state->use);
}

void
storeBeginForeignScan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	MemoryContext cxt = node->ss.ps.state->es_query_cxt;
	StoreScan  *state;

	/* Do nothing in EXPLAIN (no ANALYZE) case: node->fdw_state stays NULL. */
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	state = palloc0(sizeof(StoreScan));
	state->table = config_store_table(node->ss.ss_currentRelation);
	state->server = config_store_server(state->table->serverid,
										compat_scan_userid(node));
	store_session_scans(state->server);
	state->tupdesc = RelationGetDescr(node->ss.ss_currentRelation);
	state->subid = GetCurrentSubTransactionId();
	state->operands = ExecInitExprList(plan->fdw_exprs, &node->ss.ps);
	state->depends = depends_on_nodes(plan->fdw_exprs);
	open_columns(state, list_nth(plan->fdw_private, STORE_PRIVATE_COLUMNS));
	state->row_cxt = AllocSetContextCreate(cxt, "tracking_fdw store row",
										   ALLOCSET_DEFAULT_SIZES);
	/* created now, so that the query owns it, whoever has to fill it */
	state->rest = tuplestore_begin_heap(false, false, work_mem);
	state->rest_slot = MakeSingleTupleTableSlot(state->tupdesc,
												&TTSOpsMinimalTuple);
	node->fdw_state = state;
	note_use(node);
}

TupleTableSlot *
storeIterateForeignScan(ForeignScanState *node)
{
	StoreScan  *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	ExecClearTuple(slot);
	if (!state->began)
		open_cursor(node);
	if (!state->from_rest)
	{
		if (!store_cursor_next(state->cursor))
			return slot;
		MemoryContextReset(state->row_cxt);
		convert_row(state, slot->tts_values, slot->tts_isnull);
		return ExecStoreVirtualTuple(slot);
	}
	if (tuplestore_gettupleslot(state->rest, true, false, state->rest_slot))
		ExecCopySlot(slot, state->rest_slot);
	return slot;
}

void
storeReScanForeignScan(ForeignScanState *node)
{
	StoreScan  *state = node->fdw_state;

	close_cursor(state);
	state->began = false;
	tuplestore_clear(state->rest);
	state->from_rest = false;
}

void
storeEndForeignScan(ForeignScanState *node)
{
	StoreScan  *state = node->fdw_state;

	/* if fdw_state is NULL, we are in EXPLAIN; nothing to do */
	if (state == NULL)
		return;
	close_cursor(state);
	ExecDropSingleTupleTableSlot(state->rest_slot);
	tuplestore_end(state->rest);
}

/* The SELECT as it was planned: $n stands for a parameter. */
static char *
planned_sql(ForeignScan *plan)
{
	List	   *pieces = list_nth(plan->fdw_private, STORE_PRIVATE_SQL);
	StringInfoData sql;
	int			n_parameters = 0;

	initStringInfo(&sql);
	appendStringInfoString(&sql, strVal(linitial(pieces)));
	for (int i = 0; i < list_length(plan->fdw_exprs); i++)
	{
		Const	   *value = list_nth(plan->fdw_exprs, i);

		if (IsA(value, Const))
			store_operand_append(&sql, &dialect_postgresql,
								 value->consttype, value->constvalue,
								 value->constisnull);
		else
			appendStringInfo(&sql, "$%d", ++n_parameters);
		appendStringInfoString(&sql, strVal(list_nth(pieces, i + 1)));
	}
	appendStringInfoString(&sql, row_lock(plan));
	return sql.data;
}

void
storeExplainForeignScan(ForeignScanState *node, ExplainState *es)
{
	if (es->verbose)
		ExplainPropertyText("Remote SQL",
							planned_sql((ForeignScan *) node->ss.ps.plan), es);
}
