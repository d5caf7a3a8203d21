/*
 * unit_permissions.c
 *	  What the executor's check of permissions was asked in this session, by
 *	  its hook, as pgaudit and sepgsql see it.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/compat.h"

PG_FUNCTION_INFO_V1(unit_watch_permissions);

static ExecutorStart_hook_type next_start = NULL;
static bool starting = false;	/* in ExecutorStart() */
static StringInfo seen = NULL;	/* a line for each check */

static void
add_columns(Oid relid, const Bitmapset *columns)
{
	int			column = -1;

	while ((column = bms_next_member(columns, column)) >= 0)
		appendStringInfo(seen, " %s",
						 get_attname(relid,
									 column + FirstLowInvalidHeapAttributeNumber,
									 false));
}

static bool
check(COMPAT_CHECK_PERMISSIONS_ARGS)
{
	ListCell   *cell;

	(void) throws;
	appendStringInfoString(seen, starting ? "" : "outside: ");
	foreach(cell, range_table)
	{
		RangeTblEntry *rte = lfirst(cell);
		const CompatPermissions *asked;

		if (rte->rtekind != RTE_RELATION)
			continue;
		asked = compat_permissions(rte);
		appendStringInfo(seen, "%s%s", asked->requiredPerms & ACL_INSERT ?
						 "insert " : "", asked->requiredPerms & ACL_SELECT ?
						 "select " : "");
		appendStringInfoString(seen, get_rel_name(rte->relid));
		add_columns(rte->relid, asked->insertedCols);
		add_columns(rte->relid, asked->selectedCols);
		appendStringInfoString(seen, "; ");
	}
	appendStringInfoChar(seen, '\n');
	return true;
}

static void
start(QueryDesc *query, int eflags)
{
	bool		outer = starting;

	starting = true;
	if (next_start != NULL)
		next_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	starting = outer;
}

/* Begin to watch; returns what was seen since the last call. */
Datum
unit_watch_permissions(PG_FUNCTION_ARGS)
{
	text	   *result;

	(void) fcinfo;
	if (seen == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		seen = makeStringInfo();
		MemoryContextSwitchTo(old);
		next_start = ExecutorStart_hook;
		ExecutorStart_hook = start;
		ExecutorCheckPerms_hook = check;
	}
	result = cstring_to_text(seen->data);
	resetStringInfo(seen);
	PG_RETURN_TEXT_P(result);
}
