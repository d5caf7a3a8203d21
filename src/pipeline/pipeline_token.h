/*
 * pipeline_token.h
 *	  Whether a pipeline may fill its table in a store: see store_token.h.
 *
 * tracking.pipeline has the last token that was written there, and the one
 * before, as nobody knows which it is while the store commits.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_TOKEN_H
#define TRACKING_PIPELINE_PIPELINE_TOKEN_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"
#include "store/store_checkpoint.h"

/*
 * The token that is to stand in the store's table, where found does (NULL: none):
 * the same, if this server has written it, or else a new one.  It is noted in
 * this transaction, which is to be committed before the store has it.  Raises
 * an error, and does not try again, if found is somebody else's; and one if the
 * pipeline's row is locked: whoever has it may wait for the store.
 */
extern char *pipeline_token_settle(const Pipeline *pipeline,
								   const StoreCheckpoint *checkpoint,
								   const char *found);

/* Let it fill the table from its next start on, whoever's token is there. */
extern void pipeline_token_take_over(const Pipeline *pipeline);

#endif							/* TRACKING_PIPELINE_PIPELINE_TOKEN_H */
