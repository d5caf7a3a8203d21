/*
 * table_insert.c
 *	  Insert rows into a plain table, many at a time.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/compat.h"
#include "optimizer/optimizer.h"
#include "pipeline/table_extend.h"
#include "pipeline/table_insert.h"
#include "rewrite/rewriteHandler.h"
#include "utils/memutils.h"
#include "utils/rls.h"

/* So many rows or bytes are stored at a time, as in COPY FROM. */
#define INSERT_MAX_ROWS 1000
#define INSERT_MAX_BYTES 65535

typedef struct ColumnDefault
{
	int			column;			/* attnum - 1 */
	ExprState  *expr;
} ColumnDefault;

struct TableInsert
{
	MemoryContext cxt;
	Relation	table;
	EState	   *estate;
	ResultRelInfo *target;
	TupleDesc	tupdesc;		/* a copy: not reference-counted, so that the
								 * slots need not pin it */
	BulkInsertState bulk;
	TableExtend extend;
	CommandId	command;
	ColumnDefault *defaults;
	int			n_defaults;
	bool		constrained;	/* by NOT NULL or CHECK */
	TupleTableSlot *slots[INSERT_MAX_ROWS]; /* made when first needed */
	int			n_rows;			/* rows in slots, not stored yet */
	size_t		bytes;			/* size of these rows */
};

static bool
takes_default(Relation table, int column, const Bitmapset *given)
{
	return !TupleDescAttr(RelationGetDescr(table), column)->attisdropped &&
		!bms_is_member(column + 1, given);
}

/*
 * A volatile function in a default might read the table, whose rows are stored
 * later than with INSERT.  A domain without a default is not plain, either:
 * its constraints would have to be checked with null.
 */
static bool
is_plain_default(Form_pg_attribute attribute, Node *expr)
{
	if (expr == NULL)
		return get_typtype(attribute->atttypid) != TYPTYPE_DOMAIN;
	return !contain_volatile_functions_not_nextval(expr);
}

bool
table_insert_is_plain(Relation table, const Bitmapset *given)
{
	TupleDesc	tupdesc = RelationGetDescr(table);

	if (table->rd_rel->relkind != RELKIND_RELATION ||
		table->rd_rel->relispartition ||
		table->rd_rules != NULL || table->trigdesc != NULL ||
		compat_has_generated(tupdesc) ||
		check_enable_rls(RelationGetRelid(table), InvalidOid, true) !=
		RLS_NONE)
		return false;
	for (int i = 0; i < tupdesc->natts; i++)
	{
		if (takes_default(table, i, given) &&
			!is_plain_default(TupleDescAttr(tupdesc, i),
							  build_column_default(table, i + 1)))
			return false;
	}
	return true;
}

static void
prepare_defaults(TableInsert *insert, const Bitmapset *given)
{
	int			natts = RelationGetNumberOfAttributes(insert->table);

	insert->defaults = palloc(natts * sizeof(ColumnDefault));
	for (int i = 0; i < natts; i++)
	{
		Node	   *expr = NULL;
		ColumnDefault *added;

		if (takes_default(insert->table, i, given))
			expr = build_column_default(insert->table, i + 1);
		if (expr == NULL)
			continue;
		added = &insert->defaults[insert->n_defaults++];
		added->column = i;
		added->expr = ExecInitExpr(expression_planner((Expr *) expr), NULL);
	}
}

TableInsert *
table_insert_begin(Relation table, const Bitmapset *given)
{
	MemoryContext cxt = AllocSetContextCreate(CurTransactionContext,
											  "tracking_fdw insert",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	TableInsert *insert = palloc0(sizeof(TableInsert));
	TupleConstr *constraints = RelationGetDescr(table)->constr;

	insert->cxt = cxt;
	insert->table = table;
	insert->tupdesc = CreateTupleDescCopy(RelationGetDescr(table));
	insert->estate = CreateExecutorState();
	compat_init_range_table(insert->estate, table, given);
	insert->target = makeNode(ResultRelInfo);
	InitResultRelInfo(insert->target, table, 1, NULL, 0);
	ExecOpenIndices(insert->target, false);
	insert->bulk = GetBulkInsertState();
	table_extend_init(&insert->extend, table, insert->bulk);
	insert->command = GetCurrentCommandId(true);
	insert->constrained = constraints != NULL &&
		(constraints->has_not_null || constraints->num_check > 0);
	prepare_defaults(insert, given);
	MemoryContextSwitchTo(old);
	return insert;
}

/* Enter the rows that were stored in the indexes. */
static void
insert_index_tuples(TableInsert *insert)
{
	if (insert->target->ri_NumIndices == 0)
		return;
	for (int i = 0; i < insert->n_rows; i++)
	{
		list_free(compat_insert_index_tuples(insert->target, insert->slots[i],
											 insert->estate));
		ResetPerTupleExprContext(insert->estate);
	}
}

static void
flush(TableInsert *insert)
{
	EState	   *estate = insert->estate;
	MemoryContext old;

	table_extend_reserve(&insert->extend, insert->bytes);
	/* table_multi_insert() does not free all memory that it allocates */
	old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	table_multi_insert(insert->table, insert->slots, insert->n_rows,
					   insert->command, 0, insert->bulk);
	MemoryContextSwitchTo(old);
	ResetPerTupleExprContext(estate);
	insert_index_tuples(insert);
	for (int i = 0; i < insert->n_rows; i++)
		ExecClearTuple(insert->slots[i]);
	insert->n_rows = 0;
	insert->bytes = 0;
}

TupleTableSlot *
table_insert_slot(TableInsert *insert)
{
	TupleTableSlot **slot;

	if (insert->n_rows == INSERT_MAX_ROWS ||
		insert->bytes >= INSERT_MAX_BYTES)
		flush(insert);
	slot = &insert->slots[insert->n_rows];
	if (*slot == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(insert->cxt);

		*slot = MakeSingleTupleTableSlot(insert->tupdesc,
										 table_slot_callbacks(insert->table));
		MemoryContextSwitchTo(old);
	}
	else
		ExecClearTuple(*slot);
	return *slot;
}

static void
fill_defaults(TableInsert *insert, TupleTableSlot *slot)
{
	ExprContext *econtext = GetPerTupleExprContext(insert->estate);

	for (int i = 0; i < insert->n_defaults; i++)
	{
		const ColumnDefault *column = &insert->defaults[i];

		slot->tts_values[column->column] =
			ExecEvalExprSwitchContext(column->expr, econtext,
									  &slot->tts_isnull[column->column]);
	}
}

/*
 * The size of a row: the tuple's if the slot has a heap tuple, else bytes, the
 * caller's estimate.
 */
static size_t
row_bytes(const TupleTableSlot *slot, size_t bytes)
{
	if (!TTS_IS_BUFFERTUPLE(slot))
		return bytes;
	return ((const BufferHeapTupleTableSlot *) slot)->base.tuple->t_len;
}

void
table_insert_row(TableInsert *insert, size_t bytes)
{
	TupleTableSlot *slot = insert->slots[insert->n_rows];

	fill_defaults(insert, slot);
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = RelationGetRelid(insert->table);
	if (insert->constrained)
		ExecConstraints(insert->target, slot, insert->estate);
	ExecMaterializeSlot(slot);
	ResetPerTupleExprContext(insert->estate);

	insert->bytes += row_bytes(slot, bytes);
	insert->n_rows++;
}

void
table_insert_end(TableInsert *insert)
{
	if (insert->n_rows > 0)
		flush(insert);
	for (int i = 0; i < INSERT_MAX_ROWS && insert->slots[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(insert->slots[i]);
	FreeBulkInsertState(insert->bulk);
	table_finish_bulk_insert(insert->table, 0);
	ExecCloseIndices(insert->target);
	FreeExecutorState(insert->estate);
	MemoryContextDelete(insert->cxt);
	CommandCounterIncrement();
}
