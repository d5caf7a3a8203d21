/*
 * source_kind.h
 *	  The kinds of sources that a pipeline can read.
 *
 * A SourceKind answers questions about a pipeline's source whether or not the
 * pipeline runs; reading the source is for the kind's PipelineSourceOps.  Each
 * kind has a file of its own; source_kinds in source_kind.c lists them.
 */
#ifndef TRACKING_PIPELINE_SOURCE_KIND_H
#define TRACKING_PIPELINE_SOURCE_KIND_H

#include "postgres.h"

#include "executor/spi.h"
#include "ledger/pipeline_catalog.h"
#include "nodes/params.h"
#include "nodes/pg_list.h"
#include "pipeline/source_access.h"
#include "row/row.h"
#include "stream/batch.h"
#include "utils/rel.h"

struct PipelineSource;

/* The caller of a function has a transaction open. */
typedef struct SourceKind
{
	/* Is the source of this pipeline of this kind? */
	bool		(*is_of) (const Pipeline *pipeline);

	/* The relations that can be a source of this kind. */
	const SourceShape *shape;

	/*
	 * The column by whose values the relation is read, palloc'd: column, or
	 * if that is NULL, one that the kind finds.  Returns NULL if this kind is
	 * not read by a column.  Raises an error if column is not suitable.
	 */
	char	   *(*choose_key) (Oid relation, const char *column);

	/* Does the kind itself read this column, so that it is of use? */
	bool		(*reads_column) (const Pipeline *pipeline,
								 const char *column);

	/*
	 * Raise an error if a pipeline's settings are not possible with this
	 * kind. May be NULL.
	 */
	void		(*check_settings) (const Pipeline *pipeline);

	/*
	 * Raise an error if the source has something that cannot be read.  May be
	 * NULL.
	 */
	void		(*check_content) (const Pipeline *pipeline);

	/*
	 * Make a position of what a user writes as start_at, for the whole source
	 * or for one shard (of_shard).  Reading from that position again later
	 * yields all records that came since.  May ask the source, and wait for
	 * its answer.
	 */
	void		(*start) (const Pipeline *pipeline, const char *start_at,
						  bool of_shard, StreamPosition *position);

	/*
	 * Does a scan of the source, while a batch is bound to it, yield the
	 * batch's records except the rejected ones?  Else parameters of the
	 * command give the range of the batch, from the first record that it is
	 * restricted to, to the last, and the command may also read the batch
	 * from a relation that inherits from the source.
	 */
	bool		yields_batch;

	/*
	 * prepare: prepare a command in SPI, as SPI_prepare() does.  params: the
	 * command's parameters for the records that a batch is restricted to, at
	 * least one, or NULL if commands have none.  condition: what an INSERT by
	 * column name has behind its FROM.
	 */
	SPIPlanPtr	(*prepare) (const char *command);
	ParamListInfo (*params) (const Batch *batch);
	const char *(*condition) (const Pipeline *pipeline);

	/*
	 * How the source's columns are made of a record's bytes.  NULL if the
	 * records of this kind are rows already.
	 */
	const RowSpec *(*row_spec) (Relation source);

	/*
	 * Called before dead letters are replayed: add to the batch what dead
	 * letters of this kind do not keep, and reject those whose rows are no
	 * longer in the source.  May be NULL.
	 */
	void		(*recall) (const Pipeline *pipeline, Batch *batch);

	/* The foreign servers that the source is read from, a List of Oid. */
	List	   *(*servers) (const Pipeline *pipeline);

	/*
	 * Is the relation's definition read only when a run begins?  Then the
	 * caller opens another run when the definition has changed.
	 */
	bool		is_read_once;

	/*
	 * Make a source that can be read, allocated in source->cxt.  source has
	 * all members set but ops; the result is the kind's own struct, which
	 * begins with a copy of it.
	 */
	struct PipelineSource *(*open) (const struct PipelineSource *source);
} SourceKind;

/* in source_kind_stream.c and source_kind_table.c */
extern const SourceKind source_kind_stream;
extern const SourceKind source_kind_table;

/* The kind of a pipeline's source. */
extern const SourceKind *source_kind_of(const Pipeline *pipeline);

/*
 * The choose_key of the first kind that takes the relation.  Raises an error
 * if no kind does.
 */
extern char *source_kind_choose_key(Oid relation, const char *column);

/* Call source_access_check() with the shape of the pipeline's kind. */
extern void source_kind_check_access(const Pipeline *pipeline);

/* These call the function of the pipeline's kind, if that is not NULL. */
extern void source_kind_check_settings(const Pipeline *pipeline);
extern void source_kind_check_content(const Pipeline *pipeline);

#endif							/* TRACKING_PIPELINE_SOURCE_KIND_H */
