/*
 * pipeline_store.h
 *	  Whether a pipeline fills a store, and which one.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_STORE_H
#define TRACKING_PIPELINE_PIPELINE_STORE_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/*
 * Find out whether a pipeline fills a store, and if so give it a store_table:
 * the name of the table there that will have its positions, unless it has one.
 * Raises an error if the pipeline writes to a store and to something else, if
 * it has several workers, or if a pipeline that exists is turned from a store
 * to a local table or back.
 */
extern void pipeline_store_settle(Pipeline *pipeline);

/*
 * The foreign table of a store that the pipeline writes to, or InvalidOid if
 * it writes to no store.  Raises an error if it writes to a store and to
 * something else.
 */
extern Oid	pipeline_store_written(const Pipeline *pipeline);

#endif							/* TRACKING_PIPELINE_PIPELINE_STORE_H */
