/*
 * source_access.h
 *	  What a pipeline may read of its source, and as whom.
 *
 * The pipeline's command reads it as the pipeline's owner.  What we read of a
 * table ourselves we read as the table's owner: to read it is to run what he
 * has put there (a cast to JSON), and nobody is to lend him rights for that.
 * That the pipeline's owner may see it is checked before, each time.
 */
#ifndef TRACKING_PIPELINE_SOURCE_ACCESS_H
#define TRACKING_PIPELINE_SOURCE_ACCESS_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "ledger/pipeline_catalog.h"

/* What relations a kind of source is one of. */
typedef struct SourceShape
{
	bool		(*takes) (Oid relation);	/* as it is now */
	const char *noun;			/* what such a relation is called */
} SourceShape;

/* An ordinary table, partitioned or not, that outlives the session. */
extern const SourceShape source_shape_table;

/*
 * Lock the source until the transaction ends, and raise an error unless it is
 * still of the shape that it had (it may have become a view, say) and the
 * pipeline's owner may read all of it.
 */
extern void source_access_check(const Pipeline *pipeline,
								const SourceShape *shape);

/* Takes a row of an answer; it is gone afterwards. */
typedef void (*SourceRowFunction) (TupleTableSlot *row, void *arg);

/* A SELECT of ours. */
typedef struct SourceQuery
{
	const char *columns;		/* of the table, which is called "source" */
	const char *rest;			/* what stands behind its FROM */
	const int64 *args;			/* $1 and so on */
	int			n_args;
	SourceRowFunction take;		/* is given each row */
	void	   *arg;			/* and this */
} SourceQuery;

/* Ask a table something, after that check of it. */
extern void source_access_query(const Pipeline *pipeline,
								const SourceQuery *query);

/* A column of a row, 1-based; of another type, or null, it is an error. */
extern int64 source_access_int64(TupleTableSlot *row, int column);
extern char *source_access_text(TupleTableSlot *row, int column);

#endif							/* TRACKING_PIPELINE_SOURCE_ACCESS_H */
