/*
 * source_key.h
 *	  A table as the source of a pipeline: the key column by whose values its
 *	  rows are read.
 */
#ifndef TRACKING_PIPELINE_SOURCE_KEY_H
#define TRACKING_PIPELINE_SOURCE_KEY_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/*
 * Choose the key column of a table: column, or if that is NULL the primary
 * key, or the only column that has a sequence of its own.  Returns its name,
 * palloc'd.  Raises an error if its values are not integers, or nothing
 * guarantees that they grow.
 */
extern char *source_key_choose(Oid table, const char *column);

/* Raise an error if the source has a row with a key below 0. */
extern void source_key_check_rows(const Pipeline *pipeline);

/*
 * Make a position in the source of what a user writes as start_at:
 * 'trim_horizon', 'latest', or the last key to be left out.
 */
extern void source_key_start(const Pipeline *pipeline, const char *start_at,
							 StreamPosition *position);

/* The key after which a position is; -1 if it is before all keys. */
extern int64 source_key_of_position(const StreamPosition *position);

/* The largest key in the source; -1 if the source has no row. */
extern int64 source_key_newest(const Pipeline *pipeline);

/*
 * The rows with this key as JSON, one in each line, palloc'd; NULL if there is
 * no such row.
 */
extern char *source_key_rows(const Pipeline *pipeline, int64 key);

/* The key and size of a row. */
typedef struct SourceRow
{
	int64		key;
	int64		bytes;			/* as it is stored, approximately */
} SourceRow;

/*
 * The rows with keys above after and up to upto, in the order of their keys;
 * the first max_rows if there are more.  Returns an array of *n in the current
 * context.
 */
extern SourceRow *source_key_list(const Pipeline *pipeline, int64 after,
								  int64 upto, int max_rows, int *n);

#endif							/* TRACKING_PIPELINE_SOURCE_KEY_H */
