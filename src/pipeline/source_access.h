/*
 * source_access.h
 *	  Whether a pipeline may read its source, and as which role it does.
 *
 * The pipeline's command reads the source as the pipeline's owner.  This
 * extension's own queries of a table run as the table's owner: reading a table
 * can run code of that owner (a cast to JSON), which must not get the rights
 * of another role.  Before each such query it is checked that the pipeline's
 * owner may read the table.
 */
#ifndef TRACKING_PIPELINE_SOURCE_ACCESS_H
#define TRACKING_PIPELINE_SOURCE_ACCESS_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "ledger/pipeline_catalog.h"

/* The relations that can be a source of one kind. */
typedef struct SourceShape
{
	bool		(*takes) (Oid relation);	/* is this one, as it is now? */
	const char *noun;			/* what messages call such a relation */
} SourceShape;

/* An ordinary table, partitioned or not, that outlives the session. */
extern const SourceShape source_shape_table;

/*
 * Lock the source until the transaction ends, and raise an error unless it is
 * still of the kind's shape (it may have become a view, say) and the
 * pipeline's owner may read all of it.
 */
extern void source_access_check(const Pipeline *pipeline,
								const SourceShape *shape);

/* Is given a row of a query's result; the row is not valid afterwards. */
typedef void (*SourceRowFunction) (TupleTableSlot *row, void *arg);

/* A SELECT of this extension's. */
typedef struct SourceQuery
{
	const char *columns;		/* SQL; the table's alias is "source" */
	const char *rest;			/* SQL behind the FROM clause */
	const int64 *args;			/* values of $1 and so on */
	int			n_args;
	SourceRowFunction take;		/* is called for each row */
	void	   *arg;			/* is passed to take */
} SourceQuery;

/* Call source_access_check() for a table, then run a query of the table. */
extern void source_access_query(const Pipeline *pipeline,
								const SourceQuery *query);

/*
 * The value of a row's column, which is counted from 1.  Raises an error if it
 * is null or of another type.
 */
extern int64 source_access_int64(TupleTableSlot *row, int column);
extern char *source_access_text(TupleTableSlot *row, int column);

#endif							/* TRACKING_PIPELINE_SOURCE_ACCESS_H */
