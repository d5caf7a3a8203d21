/*
 * source_key.h
 *	  A table as the source of a pipeline: the key that its rows are read by.
 */
#ifndef TRACKING_PIPELINE_SOURCE_KEY_H
#define TRACKING_PIPELINE_SOURCE_KEY_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/*
 * The column by which a table is read, palloc'd: column, or if that is NULL
 * the primary key, or the only column with a sequence of its own.  Raises an
 * error if its values are no integers that can be relied on to grow.
 */
extern char *source_key_choose(Oid table, const char *column);

/* Raise an error if the source has a row with a key below 0. */
extern void source_key_check_rows(const Pipeline *pipeline);

/*
 * What a user writes for start_at as a position in the source: 'trim_horizon',
 * 'latest', or the last key to be left out.
 */
extern void source_key_start(const Pipeline *pipeline, const char *start_at,
							 StreamPosition *position);

/* The key that a position stands after; -1: there is none. */
extern int64 source_key_of_position(const StreamPosition *position);

/* The largest key that there is, -1 if there is no row. */
extern int64 source_key_newest(const Pipeline *pipeline);

/* The rows with this key as JSON, palloc'd, a row a line; NULL if there is none. */
extern char *source_key_rows(const Pipeline *pipeline, int64 key);

/* A row as far as a reader needs to know it. */
typedef struct SourceRow
{
	int64		key;
	int64		bytes;			/* as it is stored, approximately */
} SourceRow;

/*
 * The first rows with a key above after and up to upto, in order, max_rows at
 * the most; *n of them, in the current context.
 */
extern SourceRow *source_key_list(const Pipeline *pipeline, int64 after,
								  int64 upto, int max_rows, int *n);

#endif							/* TRACKING_PIPELINE_SOURCE_KEY_H */
