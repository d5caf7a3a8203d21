/*
 * sink_store.c
 *	  The sink of a pipeline that fills a store: exactly once, across two
 *	  databases.
 *
 * A batch is one load: a transaction in the store that writes the rows and
 * moves the positions, which the store keeps in a table.  Before it commits,
 * this database commits the new positions, dead letters and history of the
 * load, with a row of tracking.load that says how to undo them.  After a
 * failure between the two commits, the positions in the store tell whether the
 * store has committed, and the local ones are kept or undone accordingly.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "config/config_store.h"
#include "foreign/foreign.h"
#include "ledger/load_ledger.h"
#include "pipeline/pipeline_sink.h"
#include "pipeline/pipeline_store.h"
#include "pipeline/pipeline_token.h"
#include "store/store_checkpoint.h"
#include "store/store_session.h"
#include "store/store_token.h"
#include "utils/memutils.h"

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

typedef struct StoreSink
{
	PipelineSink base;
	MemoryContext cxt;
	StoreServer *server;
	StoreCheckpoint checkpoint;
	knownhash_hash *known;		/* shards with a position in the store */
	int64		load;			/* id in tracking.load; 0: the store has
								 * nothing to commit */
} StoreSink;

static bool
store_sink_is_of(const Pipeline *pipeline)
{
	return pipeline->store_table != NULL;
}

/* Fill in all members of a sink but its command. */
static void
store_sink_open(PipelineSink *sink, MemoryContext cxt)
{
	StoreSink  *store = (StoreSink *) sink;
	const Pipeline *pipeline = sink->pipeline;
	Oid			table = pipeline_store_written(pipeline);
	MemoryContext old;

	if (!OidIsValid(table))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pipeline \"%s\" no longer fills a store",
						pipeline->name),
				 errhint("Drop the pipeline and create it again.")));
	old = MemoryContextSwitchTo(cxt);
	store->cxt = cxt;
	store->server = config_store_server(GetForeignTable(table)->serverid,
										pipeline->owner);
	config_store_staging(store->server, pipeline->owner);
	store->checkpoint.server = store->server;
	store->checkpoint.table = pipeline->store_table;
	MemoryContextSwitchTo(old);
}

static uint64
store_sink_write(PipelineSink *sink, Batch *batch)
{
	return pipeline_command_execute(sink->command, batch);
}

static List *
store_sink_servers(const PipelineSink *sink)
{
	const StoreServer *server = ((const StoreSink *) sink)->server;
	List	   *servers = list_make1_oid(server->serverid);

	if (OidIsValid(server->aws_server))
		servers = lappend_oid(servers, server->aws_server);
	return servers;
}

static bool
store_sink_has_savepoints(const PipelineSink *sink)
{
	return store_session_has_savepoints(((const StoreSink *) sink)->server);
}

static void
store_sink_restart(PipelineSink *sink)
{
	store_session_restart(((StoreSink *) sink)->server);
}

static void
note_known(StoreSink *store, const char *shard_id)
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
	return knownhash_lookup(((StoreSink *) store)->known,
							shard_id) != NULL;
}

/*
 * Write this server's token into the store's table, unless the table has it:
 * then returns false.  The token is noted here, too; both transactions, the
 * store's and the local one, are the caller's to commit.
 */
static bool
claim(StoreSink *store)
{
	StoreCheckpoint *checkpoint = &store->checkpoint;
	char	   *found = store_checkpoint_token(checkpoint);
	char	   *token;

	if (!store_token_is_ours(found))
	{
		store_checkpoint_lock(checkpoint);
		found = store_checkpoint_token(checkpoint);
	}
	token = pipeline_token_settle(store->base.pipeline, checkpoint, found);
	checkpoint->token = MemoryContextStrdup(store->cxt, token);
	if (found != NULL && strcmp(found, token) == 0)
		return false;
	store_checkpoint_set_token(checkpoint);
	return true;
}

/*
 * Have the store commit the transaction that is held open there.  detail is
 * for the error if the connection is lost: what happens next.
 */
static void
commit_there(const StoreSink *store, const char *detail)
{
	if (!store_session_commit(store->server))
		ereport(ERROR,
				(errcode(ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN),
				 errmsg("lost the connection to store \"%s\" while it committed",
						store->server->name),
				 errdetail_internal("%s", detail)));
}

static void
store_sink_begin(PipelineSink *sink, const PipelineTransactions *transactions)
{
	StoreSink  *store = (StoreSink *) sink;
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
	if (load_ledger_resolve(store->base.pipeline->name, positions) > 0)
		ereport(LOG,
				(errmsg("pipeline \"%s\" goes on from where store \"%s\" says it was",
						store->base.pipeline->name, store->server->name)));
	if (claimed)
		ForceSyncCommit();		/* on disk before the store commits */
	transactions->commit();
	if (claimed)
		commit_there(store, "The pipeline begins anew.");
	else						/* it was open only to hold the lock */
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

static int64
store_sink_load(PipelineSink *sink, const Batch *batch)
{
	StoreSink  *store = (StoreSink *) sink;

	store->load = 0;
	if (moves(batch))
	{
		/* the local commit must be on disk before the store commits */
		ForceSyncCommit();
		store_session_hold(store->server);
		store->load = load_ledger_begin(store->base.pipeline->name,
										store->server->name, batch);
	}
	return store->load;
}

static bool
store_sink_advance(PipelineSink *sink, const Batch *batch, uint64 rows)
{
	StoreSink  *store = (StoreSink *) sink;

	if (store->load == 0)
		return true;
	if (!store_checkpoint_advance(&store->checkpoint, batch, is_known, store))
		return false;
	load_ledger_committing(store->load, batch, rows,
						   store_session_stats(store->server));
	return true;
}

static void
store_sink_commit(PipelineSink *sink, const Batch *batch)
{
	StoreSink  *store = (StoreSink *) sink;

	if (store->load == 0)
		return;
	commit_there(store,
				 psprintf("The store is asked what has become of load " INT64_FORMAT " before the pipeline goes on.",
						  store->load));
	for (int i = 0; i < batch->n_shards; i++)
		note_known(store, batch->shards[i].shard_id);
}

static void
store_sink_committed(PipelineSink *sink)
{
	StoreSink  *store = (StoreSink *) sink;

	if (store->load != 0)
		load_ledger_done(store->load);
	store->load = 0;
}

static void
store_sink_claim(PipelineSink *sink)
{
	StoreSink  *store = (StoreSink *) sink;

	(void) claim(store);
}

static void
store_sink_reset(const Pipeline *pipeline, const char *shard_id)
{
	StoreSink	store = {.base = {.pipeline = pipeline}};

	store_sink_open(&store.base, CurrentMemoryContext);
	store_checkpoint_lock(&store.checkpoint);
	(void) claim(&store);
	store_checkpoint_forget(&store.checkpoint, shard_id);
}

static const char *
store_sink_position_table(const Pipeline *pipeline)
{
	return pipeline->store_table;
}

const PipelineSinkOps sink_store_ops = {
	.size = sizeof(StoreSink),
	.is_of = store_sink_is_of,
	.text = pipeline_command_text,
	.open = store_sink_open,
	.write = store_sink_write,
	.servers = store_sink_servers,
	.has_savepoints = store_sink_has_savepoints,
	.restart = store_sink_restart,
	.begin = store_sink_begin,
	.load = store_sink_load,
	.advance = store_sink_advance,
	.commit = store_sink_commit,
	.committed = store_sink_committed,
	.claim = store_sink_claim,
	.reset = store_sink_reset,
	.position_table = store_sink_position_table
};
