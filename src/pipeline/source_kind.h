/*
 * source_kind.h
 *	  The kinds of sources that a pipeline can read.
 *
 * What is asked of a kind about a pipeline, whether that is running or not;
 * how it is read is for its PipelineSourceOps.  A kind is a file; source_kinds
 * in source_kind.c lists them.
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

/* Functions are called in a transaction. */
typedef struct SourceKind
{
	/* Is the source of this pipeline of this kind? */
	bool		(*is_of) (const Pipeline *pipeline);

	const SourceShape *shape;

	/*
	 * The column by whose values it is read, palloc'd: column, or the one that
	 * suits if that is NULL.  NULL if it is read by none.  An error if column is
	 * none that it can be read by.
	 */
	char	   *(*choose_key) (Oid relation, const char *column);

	/* Is this column read, whatever is done with its values? */
	bool		(*reads_column) (const Pipeline *pipeline,
								 const char *column);

	/* Raise an error if a pipeline's settings do not suit it.  Or NULL. */
	void		(*check_settings) (const Pipeline *pipeline);

	/* Raise an error if something in it cannot be read.  Or NULL. */
	void		(*check_content) (const Pipeline *pipeline);

	/*
	 * What a user writes for start_at, of all of it or of one shard, as a
	 * position that can be returned to.  May ask the source, and wait.
	 */
	void		(*start) (const Pipeline *pipeline, const char *start_at,
						  bool of_shard, StreamPosition *position);

	/*
	 * Does a scan of it, while a batch is bound to it, yield the batch, less what
	 * is rejected?  Else a batch is told by parameters of the command, from the
	 * first record that it shows to the last, and may be read by the name of any
	 * relation that inherits from the source.
	 */
	bool		yields_batch;

	/*
	 * Prepare a command in SPI, as SPI_prepare() does; the parameters of it for
	 * what a batch shows, which is not nothing, or NULL; and the condition that
	 * an INSERT by column name puts behind its FROM.
	 */
	SPIPlanPtr	(*prepare) (const char *command);
	ParamListInfo (*params) (const Batch *batch);
	const char *(*condition) (const Pipeline *pipeline);

	/*
	 * How its columns are made of the bytes of a record.  NULL: its records are
	 * rows already.
	 */
	const RowSpec *(*row_spec) (Relation source);

	/*
	 * Records that were kept as dead letters are to be applied: give the batch
	 * what is not kept of them, and reject those that the source must have and
	 * has no more.  Or NULL.
	 */
	void		(*recall) (const Pipeline *pipeline, Batch *batch);

	/* The foreign servers that it comes from, a List of Oid. */
	List	   *(*servers) (const Pipeline *pipeline);

	/*
	 * Is the relation's definition read once, when a run begins?  Then another
	 * run is to be opened when it has changed.
	 */
	bool		is_read_once;

	/*
	 * Make what begins with a PipelineSource, whose members are set but ops,
	 * into one that is read; in its cxt.
	 */
	struct PipelineSource *(*open) (const struct PipelineSource *source);
} SourceKind;

/* in source_kind_stream.c and source_kind_table.c */
extern const SourceKind source_kind_stream;
extern const SourceKind source_kind_table;

/* The kind of a pipeline's source. */
extern const SourceKind *source_kind_of(const Pipeline *pipeline);

/*
 * The column by which a relation is read, as choose_key says; an error if no
 * kind takes the relation.
 */
extern char *source_kind_choose_key(Oid relation, const char *column);

/* source_access_check() with the kind's shape. */
extern void source_kind_check_access(const Pipeline *pipeline);

/* The same as the kind's functions, which may be NULL. */
extern void source_kind_check_settings(const Pipeline *pipeline);
extern void source_kind_check_content(const Pipeline *pipeline);

#endif							/* TRACKING_PIPELINE_SOURCE_KIND_H */
