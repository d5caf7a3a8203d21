/*
 * pipeline_token.h
 *	  Whether a pipeline may fill its table in a store: see store_token.h.
 *
 * tracking.pipeline has the last token that was written into the store's
 * table, and the one before: while the store commits, nobody knows which of
 * the two the table has.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_TOKEN_H
#define TRACKING_PIPELINE_PIPELINE_TOKEN_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"
#include "store/store_checkpoint.h"

/*
 * Choose the token for the store's table, which has the token found now (NULL:
 * none): found itself if this server has written it, else a new one.  The
 * token is noted in this transaction, which the caller must commit before the
 * store's commits.  Raises an error that ends the pipeline if found was
 * written by another server.  Raises an error, too, if the pipeline's row is
 * locked, as the session that has locked it may be waiting for the store.
 */
extern char *pipeline_token_settle(const Pipeline *pipeline,
								   const StoreCheckpoint *checkpoint,
								   const char *found);

/*
 * Let the pipeline fill the table from its next start on, whichever server has
 * written the token there.
 */
extern void pipeline_token_take_over(const Pipeline *pipeline);

#endif							/* TRACKING_PIPELINE_PIPELINE_TOKEN_H */
