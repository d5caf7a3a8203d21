/*
 * store_checkpoint.h
 *	  How far a pipeline has come, in the store that it fills.
 *
 * A store keeps a table of its own for every pipeline, with the position of
 * each shard.  It moves in the transaction that loads the records, and what it
 * says is the truth: tracking.checkpoint follows it.
 */
#ifndef TRACKING_SINK_STORE_CHECKPOINT_H
#define TRACKING_SINK_STORE_CHECKPOINT_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "sink/store_session.h"
#include "stream/batch.h"

typedef struct StoreCheckpoint
{
	const StoreServer *server;
	const char *table;			/* as SQL has it: quoted, with its schema */
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
 * The positions there are, StorePosition *.  Waits for a transaction whose
 * outcome we do not know until it has ended: the table is locked first.  To be
 * followed by the end of the remote transaction.
 */
extern List *store_checkpoint_read(const StoreCheckpoint *checkpoint);

/*
 * Move the positions of a batch's shards, in the remote transaction that has
 * loaded it.  known: of the shards that the table has, as read or moved before.
 * False if one is no longer where the batch began: another session was first.
 */
extern bool store_checkpoint_advance(const StoreCheckpoint *checkpoint,
									 const Batch *batch,
									 bool (*known) (const char *shard_id,
													void *arg),
									 void *arg);

/* Forget one shard, or all (NULL), in the current remote transaction. */
extern void store_checkpoint_forget(const StoreCheckpoint *checkpoint,
									const char *shard_id);

#endif							/* TRACKING_SINK_STORE_CHECKPOINT_H */
