/*
 * pipeline_store.h
 *	  A pipeline that fills a store: exactly once, across two databases.
 *
 * A batch is one load: a remote transaction that brings the rows and moves the
 * position, which the store keeps.  Locally the positions, dead letters and
 * history of the load are committed first, with a row of tracking.load that
 * says how to undo them; then the store is asked to commit.  Whatever happens
 * in between, the store's position tells afterwards which it was.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_STORE_H
#define TRACKING_PIPELINE_PIPELINE_STORE_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"
#include "pipeline/pipeline_source.h"
#include "store/store_session.h"
#include "stream/batch.h"

typedef struct PipelineStore PipelineStore;

/*
 * Settle whether a pipeline fills a store: sets its store_table, to a new name
 * if it has none.  Raises an error if it writes to a store and to something
 * else, or has another store than it had.
 */
extern void pipeline_store_settle(Pipeline *pipeline);

/* In cxt and in a transaction; NULL if the pipeline fills no store. */
extern PipelineStore *pipeline_store_open(MemoryContext cxt,
										  const Pipeline *pipeline);

extern const StoreServer *pipeline_store_options(const PipelineStore *store);

/*
 * Before anything is read: see that no other server fills the store, settle
 * what is in doubt, and take the positions that the store has.  With no
 * transaction open.
 */
extern void pipeline_store_begin(PipelineStore *store,
								 const PipelineTransactions *transactions);

/*
 * The steps of a batch, in the transaction that applies it: before the
 * positions are moved (returns the load's id, 0 if the store need not know), and
 * when all is done; false if another session has moved the store's positions.
 */
extern int64 pipeline_store_load(PipelineStore *store, const Batch *batch);
extern bool pipeline_store_advance(PipelineStore *store, const Batch *batch,
								   uint64 rows);

/*
 * After that was committed: have the store commit.  Raises an error if it does
 * not, or nobody knows; pipeline_store_begin() settles that.  And after that,
 * in another transaction: write down that it has.
 */
extern void pipeline_store_commit(PipelineStore *store, const Batch *batch);
extern void pipeline_store_committed(PipelineStore *store);

/*
 * See that no other server fills the store, nor will before it is known, in the
 * transaction that loads something but moves no position; behind the load.
 */
extern void pipeline_store_claim(PipelineStore *store);

/*
 * Forget the positions of one shard, or all (NULL), in the store, as this
 * transaction commits.
 */
extern void pipeline_store_reset(const Pipeline *pipeline,
								 const char *shard_id);

#endif							/* TRACKING_PIPELINE_PIPELINE_STORE_H */
