/*
 * replay_filter.c
 *	  The filter that picks the dead letters to replay.
 *
 * The filter becomes part of a query of the extension's.  The parser has found
 * it to be one expression, so it cannot end the parenthesis that it is put
 * into.  The extension's part of the query does not depend on the caller's
 * search_path, as all names in it are qualified.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "function/replay_filter.h"
#include "ledger/catalog.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "utils/builtins.h"

/*
 * The parser's error position is one in the text that it was given, not in the
 * user's statement: report it as an internal query's.
 */
static void
position_in_filter(void *select)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(select);
	}
}

static List *
parse(char *select)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = position_in_filter,
		.arg = select
	};
	List	   *statements;

	error_context_stack = &callback;
	statements = raw_parser(select, RAW_PARSE_DEFAULT);
	error_context_stack = callback.previous;
	return statements;
}

/*
 * Are these just one SELECT of one expression, with no alias and no clauses?
 */
static bool
is_expression(List *statements)
{
	RawStmt    *raw = list_length(statements) == 1 ?
		linitial_node(RawStmt, statements) : NULL;
	SelectStmt *select;
	ResTarget  *target;

	/* stmt_len is set only if a semicolon follows */
	if (raw == NULL || raw->stmt_len != 0 || !IsA(raw->stmt, SelectStmt))
		return false;
	select = castNode(SelectStmt, raw->stmt);
	if (list_length(select->targetList) != 1)
		return false;
	target = linitial_node(ResTarget, select->targetList);
	select->targetList = NIL;
	return target->name == NULL && equal(select, makeNode(SelectStmt));
}

static void
check_filter(const char *filter)
{
	if (!is_expression(parse(psprintf("SELECT %s", filter))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the filter is not a condition on tracking.dead_letter"),
				 errhint("Use one expression, such as $$sqlstate = '22P02'$$.")));
}

Datum
replay_filter_pick(const char *pipeline, const char *filter)
{
	MemoryContext cxt = CurrentMemoryContext;
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(pipeline)};
	MemoryContext old;
	Datum	   *ids;
	Datum		picked;
	char	   *query;

	if (filter != NULL)
		check_filter(filter);
	query = psprintf("select dead_letter.id from (select * from tracking.dead_letter as letter"
					 " where letter.pipeline operator(pg_catalog.=) $1) as dead_letter"
					 " where (%s\n)", filter == NULL ? "true" : filter);
	SPI_connect();
	if (SPI_execute_with_args(query, lengthof(types), types, values, NULL,
							  true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\"", query);
	old = MemoryContextSwitchTo(cxt);
	ids = palloc(sizeof(Datum) * Max(SPI_processed, 1));
	for (uint64 i = 0; i < SPI_processed; i++)
		ids[i] = Int64GetDatum(catalog_int64(i, 1));
	picked = catalog_array(ids, NULL, SPI_processed, INT8OID);
	MemoryContextSwitchTo(old);
	SPI_finish();
	return picked;
}
