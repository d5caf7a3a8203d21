/*
 * store_checkpoint.h
 *	  A pipeline's checkpoint, in the store that it fills.
 *
 * For each pipeline, its store keeps a table with the position of each shard.
 * A position moves in the transaction that loads the records, so what the
 * table says is the truth: tracking.checkpoint follows it.  The table also
 * holds the token of the server that fills it.
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
	const char *table;			/* as in SQL: quoted, with its schema */
	const char *token;			/* which the table is to hold; see
								 * store_token.h */
} StoreCheckpoint;

/* The position of a shard, as the store has it. */
typedef struct StorePosition
{
	const char *shard_id;
	const char *position;		/* text of a StreamPosition */
} StorePosition;

/*
 * Create the table if it does not exist, in a remote transaction of its own,
 * which is committed.
 */
extern void store_checkpoint_create(const StoreCheckpoint *checkpoint);

/*
 * Lock the table until the remote transaction ends; waits for an earlier
 * transaction of ours whose outcome is not known.  To be called before
 * anything is read, so that the snapshot shows what that one did.
 */
extern void store_checkpoint_lock(const StoreCheckpoint *checkpoint);

/*
 * The token in the table, NULL if there is none.  While the table is locked,
 * nobody else writes one.
 */
extern char *store_checkpoint_token(const StoreCheckpoint *checkpoint);

/* Write checkpoint->token to the table, which is locked. */
extern void store_checkpoint_set_token(const StoreCheckpoint *checkpoint);

/* All positions in the table: StorePosition *. */
extern List *store_checkpoint_positions(const StoreCheckpoint *checkpoint);

/*
 * Move the positions of a batch's shards, in the remote transaction that has
 * loaded the batch.  known() tells whether the table has a row of a shard, as
 * read or written before.  False if a shard is no longer where the batch
 * began, or the token is not ours: another session was first.
 */
extern bool store_checkpoint_advance(const StoreCheckpoint *checkpoint,
									 const Batch *batch,
									 bool (*known) (const char *shard_id,
													void *arg),
									 void *arg);

/*
 * Delete the position of one shard, or of all (NULL), in the current remote
 * transaction; the table is locked.
 */
extern void store_checkpoint_forget(const StoreCheckpoint *checkpoint,
									const char *shard_id);

#endif							/* TRACKING_STORE_STORE_CHECKPOINT_H */
