/*
 * source_access.h
 *	  What a pipeline may read of its source, and as whom.
 *
 * The pipeline's command reads it as the pipeline's owner.  What we read of a
 * table ourselves we read as the table's owner: to read it is to run what he
 * has put there (a cast to JSON), and nobody is to lend him rights for that.
 * That the pipeline's owner may see it is checked before, each time.
 */
#ifndef TRACKING_WORKER_SOURCE_ACCESS_H
#define TRACKING_WORKER_SOURCE_ACCESS_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "worker/pipeline_catalog.h"

/*
 * Lock the source until the transaction ends, and raise an error unless it is
 * what the pipeline reads (it may have become a view, say) and the pipeline's
 * owner may read all of it.
 */
extern void source_access_check(const Pipeline *pipeline);

/* Takes a row of an answer; it is gone afterwards. */
typedef void (*SourceRowFunction) (TupleTableSlot *row, void *arg);

/*
 * Ask a table something, after that check: the columns of our SELECT, and what
 * stands behind its FROM, where the table is called "source"; $1 and so on are
 * bigint.  Each row is given to the function.
 */
extern void source_access_query(const Pipeline *pipeline, const char *columns,
								const char *rest, const int64 *args,
								int n_args, SourceRowFunction function,
								void *arg);

/* A column of a row, 1-based; of another type, or null, it is an error. */
extern int64 source_access_int64(TupleTableSlot *row, int column);
extern char *source_access_text(TupleTableSlot *row, int column);

#endif							/* TRACKING_WORKER_SOURCE_ACCESS_H */
