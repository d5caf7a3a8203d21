/*
 * store_stage.h
 *	  The files of one load in S3, which a COPY reads, and their manifest.
 *
 * They lie under the server's staging prefix, in a folder of their own, and
 * are removed when the remote transaction that loads them has ended; not if
 * nobody knows how, or the server wants them kept.
 */
#ifndef TRACKING_STORE_STORE_STAGE_H
#define TRACKING_STORE_STORE_STAGE_H

#include "postgres.h"

#include "store/store.h"

typedef struct StoreStage StoreStage;

/*
 * Begin, for the server's current remote transaction, with whose end the stage
 * ends.  Raises an error if the server does not say where to stage.
 */
extern StoreStage *store_stage_open(const StoreServer *server);

/*
 * Add a row, its newline included.  Takes memory of a part (S3_PART_BYTES) for
 * each of the server's stage_files; waits for S3 when one is full.
 */
extern void store_stage_row(StoreStage *stage, const char *row, size_t bytes);

/* All rows are there: store what is left and the manifest, whose URL it returns. */
extern const char *store_stage_finish(StoreStage *stage);

/* Files, and their bytes as they are stored, so far. */
extern int64 store_stage_files(const StoreStage *stage);
extern int64 store_stage_bytes(const StoreStage *stage);

#endif							/* TRACKING_STORE_STORE_STAGE_H */
