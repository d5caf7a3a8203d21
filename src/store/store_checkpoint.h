/*
 * store_checkpoint.h
 *	  How far a pipeline has come, in the store that it fills.
 *
 * A store keeps a table of its own for every pipeline, with the position of
 * each shard.  It moves in the transaction that loads the records, and what it
 * says is the truth: tracking.checkpoint follows it.  The table also has the
 * token of the server that fills it.
 */
#ifndef TRACKING_STORE_STORE_CHECKPOINT_H
#define TRACKING_STORE_STORE_CHECKPOINT_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "store/store_session.h"
#include "stream/batch.h"

typedef struct StoreCheckpoint
{
	const StoreServer *server;
	const char *table;			/* as SQL has it: quoted, with its schema */
	const char *token;			/* that is to stand there; see store_token.h */
} StoreCheckpoint;

/* Where a shard is, by the store. */
typedef struct StorePosition
{
	const char *shard_id;
	const char *position;		/* text of a StreamPosition */
} StorePosition;

/*
 * Make the table if it is not there; in a remote transaction of its own, which
 * is committed.
 */
extern void store_checkpoint_create(const StoreCheckpoint *checkpoint);

/*
 * Keep others out until the remote transaction ends.  Waits for one whose
 * outcome we do not know.  Before anything is read, so that the snapshot is of
 * what comes after it.
 */
extern void store_checkpoint_lock(const StoreCheckpoint *checkpoint);

/*
 * The token that there is, NULL if there is none.  No other comes before the
 * remote transaction ends.
 */
extern char *store_checkpoint_token(const StoreCheckpoint *checkpoint);

/* Write checkpoint->token; the table is locked. */
extern void store_checkpoint_set_token(const StoreCheckpoint *checkpoint);

/* The positions there are, StorePosition *. */
extern List *store_checkpoint_positions(const StoreCheckpoint *checkpoint);

/*
 * Move the positions of a batch's shards, in the remote transaction that has
 * loaded it.  known: of the shards that the table has, as read or moved before.
 * False if one is no longer where the batch began, or the token is not ours:
 * another session was first.
 */
extern bool store_checkpoint_advance(const StoreCheckpoint *checkpoint,
									 const Batch *batch,
									 bool (*known) (const char *shard_id,
													void *arg),
									 void *arg);

/*
 * Forget one shard, or all (NULL), in the current remote transaction; the table
 * is locked.
 */
extern void store_checkpoint_forget(const StoreCheckpoint *checkpoint,
									const char *shard_id);

#endif							/* TRACKING_STORE_STORE_CHECKPOINT_H */
