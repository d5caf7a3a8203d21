/*
 * fuzz_scan.c
 *	  libFuzzer target: scans of a foreign table whose rows are what a store
 *	  answers; see store_remote.h.
 *
 * Each letter is a thing that happens to one scan: 'i' its next row, 'a' all
 * that are left, 'q' another scan that begins there, 'b' a
 * load that is to come behind it, 'r' that it begins anew.  's' says that
 * there is a savepoint by now, 'e' that its table has no column.
 */
#include "server.h"

#include "catalog/pg_type.h"
#include "commands/explain.h"
#include "config/config_store.h"
#include "executor/executor.h"
#include "fdw/store_fdw.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "remote.h"
#include "store/store_cursor.h"
#include "store/store_session.h"
#include "store/store_use.h"
#include "store_remote.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/rel.h"

/* Things that happen to a scan */
#define ACTIONS 8

/* Rows that 'a' reads at most: whatever the store says, it says it once */
#define ROWS 10000

static const Oid column_types[] = {
	TEXTOID, INT4OID, NUMERICOID, TIMESTAMPTZOID, JSONBOID
};

#define COLUMNS ((int) lengthof(column_types))

typedef struct Fuzzed
{
	StoreServer server;
	StoreTable	table;
	RelationData relation;
	ForeignScan plan;
	ForeignScanState node;
	StoreUse	load;			/* of another query */
	char		letter;			/* what happens now */
} Fuzzed;

static Fuzzed *scan;
static SubTransactionId subtransaction;

/* ----------------------------------------------------------------
 * In place of the catalog and of transactions
 * ---------------------------------------------------------------- */

StoreTable *
config_store_table(Relation relation)
{
	(void) relation;
	return &scan->table;
}

StoreServer *
config_store_server(Oid serverid, Oid userid)
{
	(void) serverid;
	(void) userid;
	return &scan->server;
}

SubTransactionId
GetCurrentSubTransactionId(void)
{
	return subtransaction;
}

static TupleDesc
describe(void)
{
	TupleDesc	tupdesc = CreateTemplateTupleDesc(COLUMNS);

	for (int i = 0; i < COLUMNS; i++)
		server_attribute(tupdesc, i, "column", column_types[i], -1);
	return tupdesc;
}

/* ----------------------------------------------------------------
 * The scan
 * ---------------------------------------------------------------- */

static bool
next_row(void)
{
	TupleTableSlot *slot = storeIterateForeignScan(&scan->node);

	if (TupIsNull(slot))
		return false;
	slot_getallattrs(slot);
	require(slot->tts_isnull[0] ||
			pg_verify_mbstr(PG_UTF8, VARDATA_ANY(slot->tts_values[0]),
							VARSIZE_ANY_EXHDR(slot->tts_values[0]), true));
	return true;
}

static void
happen(void *arg)
{
	int			n = 0;

	(void) arg;
	switch (scan->letter)
	{
		case 'i':
			(void) next_row();
			break;
		case 'a':
			while (next_row())
				require(++n < ROWS);
			break;
		case 'q':
			(void) store_cursor_open(CurrentMemoryContext, &scan->server,
									 store_remote, "SELECT", 1, NULL, NULL);
			break;
		case 'b':
			store_use_scans_first(&scan->load);
			break;
		case 'r':
			storeReScanForeignScan(&scan->node);
			break;
		case 's':
			subtransaction++;
			break;
	}
}

static void
begin(void *arg)
{
	(void) arg;
	storeBeginForeignScan(&scan->node, 0);
}

static void
end(void *arg)
{
	(void) arg;
	storeEndForeignScan(&scan->node);
}

/* SELECT ... WHERE column = 'it''s', which EXPLAIN shows, too. */
static void
plan_scan(bool has_columns)
{
	Const	   *operand = makeConst(TEXTOID, -1, InvalidOid, -1,
									CStringGetTextDatum("it's\\"), false, false);
	List	   *wanted = NIL;

	for (int i = 1; has_columns && i <= COLUMNS; i++)
		wanted = lappend_int(wanted, i);
	scan->plan.scan.plan.type = T_ForeignScan;
	scan->plan.scan.scanrelid = 1;
	scan->plan.fdw_exprs = list_make1(operand);
	scan->plan.fdw_private = list_make3(list_make2(makeString("SELECT WHERE c = "),
												   makeString("")),
										wanted, makeString(""));
}

static void
make_node(void)
{
	EState	   *estate = CreateExecutorState();
	RangeTblEntry *entry = makeNode(RangeTblEntry);
	ForeignScanState *node = &scan->node;

	ExecInitRangeTable(estate, list_make1(entry));
	scan->relation.rd_att = describe();
	node->ss.ps.type = T_ForeignScanState;
	node->ss.ps.plan = (Plan *) &scan->plan;
	node->ss.ps.state = estate;
	node->ss.ps.ps_ExprContext = CreateExprContext(estate);
	node->ss.ss_currentRelation = &scan->relation;
	node->ss.ss_ScanTupleSlot = MakeSingleTupleTableSlot(scan->relation.rd_att,
														 &TTSOpsVirtual);
}

static void
explain(void)
{
	ExplainState *es = NewExplainState();

	es->verbose = true;
	storeExplainForeignScan(&scan->node, es);
	require(strstr(es->str->data, "c = 'it''s\\'") != NULL);
}

static void
act(const Input *letters)
{
	bool		done = store_remote_try(begin, NULL);

	for (size_t i = 0; done && i < Min(letters->len, ACTIONS); i++)
	{
		scan->letter = letters->start[i];
		done = store_is_usable(store_remote) &&
			store_remote_try(happen, NULL);
	}
	/* after an error nobody ends a scan */
	if (done)
		(void) store_remote_try(end, NULL);
	FreeExecutorState(scan->node.ss.ps.state);
}

static void
fuzz(const char *data, size_t size)
{
	static const char *names[] = {"a", "b", "c", "d", "e"};
	Input		rest = {data, size};
	Input		letters;

	subtransaction = TopSubTransactionId;
	scan = palloc0(sizeof(Fuzzed));
	scan->table.columns = names;
	if (!store_remote_open(&scan->server, &rest, &letters))
		return;
	plan_scan(memchr(letters.start, 'e', letters.len) == NULL);
	make_node();
	explain();
	act(&letters);
	/* as at the end of a transaction */
	AtEOXact_GUC(false, 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	server_input(fuzz, data, size);
	remote_end();
	return 0;
}
