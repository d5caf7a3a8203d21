/*
 * pipeline_store.h
 *	  Whether a pipeline fills a store, and which.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_STORE_H
#define TRACKING_PIPELINE_PIPELINE_STORE_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/*
 * Settle whether a pipeline fills a store: sets its store_table, to a new name
 * if it has none.  Raises an error if it writes to a store and to something
 * else, or has another store than it had.
 */
extern void pipeline_store_settle(Pipeline *pipeline);

/*
 * The foreign table of a store that the pipeline writes to; InvalidOid: it
 * writes to no store.  Raises an error as above.
 */
extern Oid	pipeline_store_written(const Pipeline *pipeline);

#endif							/* TRACKING_PIPELINE_PIPELINE_STORE_H */
