/*
 * pipeline_store.c
 *	  A pipeline that fills a store.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "base/compat.h"
#include "common/hashfn.h"
#include "config/config.h"
#include "config/config_store.h"
#include "executor/spi.h"
#include "foreign/foreign.h"
#include "ledger/load_ledger.h"
#include "nodes/parsenodes.h"
#include "pipeline/pipeline_command.h"
#include "pipeline/pipeline_plan.h"
#include "pipeline/pipeline_store.h"
#include "pipeline/pipeline_target.h"
#include "pipeline/pipeline_token.h"
#include "store/dialect.h"
#include "store/store_token.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

/* Of the pipeline's name, in that of its table */
#define TABLE_NAME_CHARS 30

typedef struct KnownShard
{
	const char *shard_id;
	char		status;
} KnownShard;

#define SH_PREFIX knownhash
#define SH_ELEMENT_TYPE KnownShard
#define SH_KEY_TYPE const char *
#define SH_KEY shard_id
#define SH_HASH_KEY(tb, key) \
	hash_bytes((const unsigned char *) (key), (int) strlen(key))
#define SH_EQUAL(tb, a, b) (strcmp(a, b) == 0)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct PipelineStore
{
	MemoryContext cxt;
	const Pipeline *pipeline;
	StoreServer *server;
	StoreCheckpoint checkpoint;
	knownhash_hash *known;		/* shards that the store's table has */
	int64		load;			/* in tracking.load; 0: the store has nothing
								 * to commit */
};

/* ----------------------------------------------------------------
 * What is filled
 * ---------------------------------------------------------------- */

/* One more table that is written to; two stores are not one. */
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
 * A foreign table of a store that the query writes to, or InvalidOid.  *others:
 * it writes to something else, too.
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

/* What the pipeline's command writes to, as above. */
static Oid
command_table(const Pipeline *pipeline, bool *others)
{
	const char *text = pipeline_command_text(pipeline);
	Oid			table = InvalidOid;
	SPIPlanPtr	plan;
	ListCell   *cell;

	SPI_connect();
	plan = pipeline_plan_prepare(pipeline, text);
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

/* The store's table that the pipeline writes to; InvalidOid: to no store. */
static Oid
written_store_table(const Pipeline *pipeline)
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
 * A name for the table of positions, beside the table that is filled: letters
 * that every store takes, and enough at random that another server's pipeline
 * of this name has another one.
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
	Oid			table = written_store_table(pipeline);

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

/* ----------------------------------------------------------------
 * Positions
 * ---------------------------------------------------------------- */

PipelineStore *
pipeline_store_open(MemoryContext cxt, const Pipeline *pipeline)
{
	PipelineStore *store;
	MemoryContext old;
	Oid			table;

	if (pipeline->store_table == NULL)
		return NULL;
	table = written_store_table(pipeline);
	if (!OidIsValid(table))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pipeline \"%s\" no longer fills a store",
						pipeline->name),
				 errhint("Drop the pipeline and create it again.")));
	old = MemoryContextSwitchTo(cxt);
	store = palloc0(sizeof(PipelineStore));
	store->cxt = cxt;
	store->pipeline = pipeline;
	store->server = config_store_server(GetForeignTable(table)->serverid,
										pipeline->owner);
	config_store_staging(store->server, pipeline->owner);
	store->checkpoint.server = store->server;
	store->checkpoint.table = pipeline->store_table;
	MemoryContextSwitchTo(old);
	return store;
}

const StoreServer *
pipeline_store_options(const PipelineStore *store)
{
	return store->server;
}

static void
note_known(PipelineStore *store, const char *shard_id)
{
	bool		found;

	if (knownhash_lookup(store->known, shard_id) == NULL)
		(void) knownhash_insert(store->known,
								MemoryContextStrdup(store->cxt, shard_id),
								&found);
}

static bool
is_known(const char *shard_id, void *store)
{
	return knownhash_lookup(((PipelineStore *) store)->known,
							shard_id) != NULL;
}

/*
 * Make the table this server's; true if it was not yet.  What was written, here
 * and there, stays if both transactions are committed.
 */
static bool
claim(PipelineStore *store)
{
	StoreCheckpoint *checkpoint = &store->checkpoint;
	char	   *found = store_checkpoint_token(checkpoint);
	char	   *token;

	if (!store_token_is_ours(found))
	{
		store_checkpoint_lock(checkpoint);
		found = store_checkpoint_token(checkpoint);
	}
	token = pipeline_token_settle(store->pipeline, checkpoint, found);
	checkpoint->token = MemoryContextStrdup(store->cxt, token);
	if (found != NULL && strcmp(found, token) == 0)
		return false;
	store_checkpoint_set_token(checkpoint);
	return true;
}

/* Have the store commit what is held there; detail: what becomes of it else. */
static void
commit_there(const PipelineStore *store, const char *detail)
{
	if (!store_session_commit(store->server))
		ereport(ERROR,
				(errcode(ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN),
				 errmsg("lost the connection to store \"%s\" while it committed",
						store->server->name),
				 errdetail_internal("%s", detail)));
}

void
pipeline_store_begin(PipelineStore *store,
					 const PipelineTransactions *transactions)
{
	List	   *positions;
	ListCell   *cell;
	bool		claimed;

	transactions->begin();
	store_checkpoint_create(&store->checkpoint);
	store_session_hold(store->server);
	store_checkpoint_lock(&store->checkpoint);
	claimed = claim(store);
	positions = store_checkpoint_positions(&store->checkpoint);
	store->known = knownhash_create(store->cxt, 64, NULL);
	foreach(cell, positions)
		note_known(store, ((StorePosition *) lfirst(cell))->shard_id);
	if (load_ledger_resolve(store->pipeline->name, positions) > 0)
		ereport(LOG,
				(errmsg("pipeline \"%s\" goes on from where store \"%s\" says it was",
						store->pipeline->name, store->server->name)));
	if (claimed)
		ForceSyncCommit();		/* before the store has it */
	transactions->commit();
	if (claimed)
		commit_there(store, "The pipeline begins anew.");
	else						/* it has only kept others out meanwhile */
		store_session_rollback(store->server);
}

static bool
moves(const Batch *batch)
{
	for (int i = 0; i < batch->n_shards; i++)
	{
		const BatchShard *shard = &batch->shards[i];

		if (strcmp(position_to_text(&shard->from),
				   position_to_text(&shard->to)) != 0)
			return true;
	}
	return false;
}

int64
pipeline_store_load(PipelineStore *store, const Batch *batch)
{
	store->load = 0;
	if (moves(batch))
	{
		/* before the store has the rows, this must be on disk */
		ForceSyncCommit();
		store_session_hold(store->server);
		store->load = load_ledger_begin(store->pipeline->name,
										store->server->name, batch);
	}
	return store->load;
}

bool
pipeline_store_advance(PipelineStore *store, const Batch *batch, uint64 rows)
{
	if (store->load == 0)
		return true;
	if (!store_checkpoint_advance(&store->checkpoint, batch, is_known, store))
		return false;
	load_ledger_committing(store->load, batch, rows,
						   store_session_stats(store->server));
	return true;
}

void
pipeline_store_commit(PipelineStore *store, const Batch *batch)
{
	if (store->load == 0)
		return;
	commit_there(store,
				 psprintf("The store is asked what has become of load " INT64_FORMAT " before the pipeline goes on.",
						  store->load));
	for (int i = 0; i < batch->n_shards; i++)
		note_known(store, batch->shards[i].shard_id);
}

void
pipeline_store_committed(PipelineStore *store)
{
	if (store->load != 0)
		load_ledger_done(store->load);
	store->load = 0;
}

void
pipeline_store_claim(PipelineStore *store)
{
	(void) claim(store);
}

void
pipeline_store_reset(const Pipeline *pipeline, const char *shard_id)
{
	PipelineStore *store = pipeline_store_open(CurrentMemoryContext, pipeline);

	if (store == NULL)
		return;
	store_checkpoint_lock(&store->checkpoint);
	(void) claim(store);
	store_checkpoint_forget(&store->checkpoint, shard_id);
}
