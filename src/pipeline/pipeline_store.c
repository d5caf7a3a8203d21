/*
 * pipeline_store.c
 *	  Whether a pipeline fills a store, and which.
 */
#include "postgres.h"

#include "access/table.h"
#include "base/compat.h"
#include "config/config.h"
#include "config/config_store.h"
#include "executor/spi.h"
#include "foreign/foreign.h"
#include "nodes/parsenodes.h"
#include "pipeline/pipeline_plan.h"
#include "pipeline/pipeline_store.h"
#include "pipeline/pipeline_relation.h"
#include "store/dialect.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

/* The name of the store's table has so much of the pipeline's name. */
#define TABLE_NAME_CHARS 30

/*
 * The command writes to the table more, too: make it *table.  *others is set
 * if the two are on different foreign servers.
 */
static void
add_table(Oid *table, Oid more, bool *others)
{
	if (OidIsValid(*table) && OidIsValid(more) &&
		GetForeignTable(*table)->serverid != GetForeignTable(more)->serverid)
		*others = true;
	if (OidIsValid(more))
		*table = more;
}

/*
 * A foreign table of a store that the query writes to, or InvalidOid.  *others
 * is set if the query writes to anything else.
 */
static Oid
written_table(const Query *query, bool *others)
{
	Oid			table = InvalidOid;
	ListCell   *cell;

	if (query->utilityStmt != NULL)
		*others = true;
	if (query->resultRelation > 0)
	{
		const RangeTblEntry *rte = list_nth(query->rtable,
											query->resultRelation - 1);

		if (config_is_store_table(rte->relid))
			table = rte->relid;
		else
			*others = true;
	}
	foreach(cell, query->cteList)
	{
		const CommonTableExpr *cte = lfirst(cell);

		add_table(&table, written_table((const Query *) cte->ctequery, others),
				  others);
	}
	return table;
}

/* The same for all queries of the pipeline's command. */
static Oid
command_table(const Pipeline *pipeline, bool *others)
{
	Oid			table = InvalidOid;
	SPIPlanPtr	plan;
	ListCell   *cell;

	SPI_connect();
	plan = pipeline_plan_prepare(pipeline, pipeline->command);
	foreach(cell, SPI_plan_get_plan_sources(plan))
	{
		const CachedPlanSource *source = lfirst(cell);
		ListCell   *other;

		foreach(other, source->query_list)
			add_table(&table, written_table(lfirst(other), others), others);
	}
	SPI_finish();
	return table;
}

Oid
pipeline_store_written(const Pipeline *pipeline)
{
	bool		others = false;
	Oid			table;

	if (OidIsValid(pipeline->target))
	{
		table_close(pipeline_open_target(pipeline, AccessShareLock), NoLock);
		return config_is_store_table(pipeline->target) ? pipeline->target :
			InvalidOid;
	}
	table = command_table(pipeline, &others);
	if (OidIsValid(table) && others)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a pipeline that fills a store cannot write to anything else"),
				 errdetail("What it writes and its position are committed by the store, in one transaction."),
				 errhint("Use a pipeline for each: from the stream to a local table, and from that to the store.")));
	return table;
}

/*
 * A name for the table of positions, in the schema of the table that is
 * filled: characters that every store allows, and random digits, so that a
 * pipeline of the same name on another server has another table.
 */
static char *
new_store_table(const Pipeline *pipeline, Oid relid)
{
	Relation	relation = table_open(relid, AccessShareLock);
	StoreTable *table = config_store_table(relation);
	char		name[TABLE_NAME_CHARS + 1];
	uint8		random[4];
	int			n = 0;

	table_close(relation, AccessShareLock);
	for (const char *p = pipeline->name; *p != '\0' && n < TABLE_NAME_CHARS;
		 p++)
	{
		char		c = pg_ascii_tolower((unsigned char) *p);

		name[n++] = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '_';
	}
	name[n] = '\0';
	if (!pg_strong_random(random, sizeof(random)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random name")));
	return psprintf("%s.%s", dialect_quote_identifier(table->schema),
					dialect_quote_identifier(psprintf("tracking_%s_%02x%02x%02x%02x",
													  name, random[0], random[1],
													  random[2], random[3])));
}

void
pipeline_store_settle(Pipeline *pipeline)
{
	Oid			table = pipeline_store_written(pipeline);

	if (OidIsValid(table) && pipeline->workers > 1)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a pipeline that fills a store has one worker"),
				 errdetail("Two loads into one table would wait for each other there."),
				 errhint("Use workers => 1. Larger batches make fewer loads: batch_rows, batch_bytes, max_latency.")));
	if (pipeline->id != 0 &&
		OidIsValid(table) != (pipeline->store_table != NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a pipeline cannot be turned from a store to a local table, or back"),
				 errdetail("Its positions are kept where its rows are."),
				 errhint("Drop the pipeline and create another.")));
	if (OidIsValid(table) && pipeline->store_table == NULL)
		pipeline->store_table = new_store_table(pipeline, table);
}
