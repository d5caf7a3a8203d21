/*
 * store_stage.h
 *	  The files of one load in S3, which a COPY reads, and their manifest.
 *
 * The files are in a folder of their own under the server's staging prefix.
 * They are removed when the remote transaction that loads them has ended,
 * unless its outcome is not known or the server's options keep them.
 */
#ifndef TRACKING_STORE_STORE_STAGE_H
#define TRACKING_STORE_STORE_STAGE_H

#include "postgres.h"

#include "store/store.h"

typedef struct StoreStage StoreStage;

/*
 * Begin a stage, which ends with the server's current remote transaction.
 * Raises an error if the server does not say where to stage.
 */
extern StoreStage *store_stage_open(const StoreServer *server);

/*
 * Add a row with its newline.  Buffers a part (S3_PART_BYTES) for each of the
 * server's stage_files; waits for S3 when a part is full.
 */
extern void store_stage_row(StoreStage *stage, const char *row, size_t bytes);

/* End the files, and store the manifest, whose URL is returned. */
extern const char *store_stage_finish(StoreStage *stage);

/* The number of files so far, and their bytes as they are stored. */
extern int64 store_stage_files(const StoreStage *stage);
extern int64 store_stage_bytes(const StoreStage *stage);

#endif							/* TRACKING_STORE_STORE_STAGE_H */
