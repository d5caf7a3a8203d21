/*
 * pipeline_catalog.h
 *	  Definitions of pipelines, in tracking.pipeline.
 *
 * Every function runs in the caller's transaction, with the rights of the
 * extension's owner: the SQL functions that call these check what their caller
 * may do.
 */
#ifndef TRACKING_LEDGER_PIPELINE_CATALOG_H
#define TRACKING_LEDGER_PIPELINE_CATALOG_H

#include "postgres.h"

#include "nodes/bitmapset.h"
#include "stream/position.h"

typedef struct Pipeline
{
	char	   *name;
	int32		id;
	Oid			owner;			/* InvalidOid if the anchor is gone */
	char	   *anchor;			/* see pipeline_anchor.h */
	Oid			source;
	char	   *source_key;		/* the key column of a table; NULL: the source
								 * is a stream */
	Oid			target;			/* InvalidOid if there is a command */
	char	   *command;		/* NULL if there is a target */
	char	   *search_path;	/* for the command */
	StreamPosition start;		/* of all shards when the first run begins */
	int			batch_rows;
	int64		batch_bytes;
	int64		max_latency_ms;
	int			workers;		/* the setting */
	int			granted_workers;	/* to which the shards are assigned */
	bool		stop_on_error;	/* else rejects become dead letters */
	int			max_errors;		/* most rejects in a batch before the pipeline
								 * stops; -1: no bound */
	double		max_error_ratio;	/* likewise the share of rejects among the
									 * recent records; 1: no bound */
	bool		stop_on_gap;	/* else a gap is recorded */
	char	   *pause_between;	/* time of day without batches, or NULL */
	bool		enabled;
	int64		generation;		/* incremented when the pipeline is changed */
	int			failures;		/* in a row */
	TimestampTz stream_created; /* when the stream was created; 0: unknown */
	char	   *store_table;	/* the table in a store that has the
								 * positions; NULL: no store is filled */
	uint64		system_identifier;	/* of the server that runs the pipeline */
	Oid			database;		/* in which it runs the pipeline */
	int			shards_known;	/* rows that tracking.checkpoint must have */
	bool		is_unreachable; /* part of the source could not be read */
	char	   *owner_name;		/* the owner's name, see pipeline_home.h */
	bool		watched;		/* the first documents of this generation were
								 * examined */
} Pipeline;

/*
 * Load a pipeline by its name or its id, into the current context; NULL if
 * there is none.
 */
extern Pipeline *pipeline_load(const char *name);
extern Pipeline *pipeline_load_id(int32 id);

/*
 * How many pipelines a role owns in this database, by a snapshot of what is
 * committed now.
 */
extern int	pipeline_count(Oid owner);

/*
 * Insert a pipeline, and set its anchor.  Its id and generation are the
 * table's defaults, and not set in *pipeline.
 */
extern void pipeline_insert(Pipeline *pipeline);

/*
 * Lock the pipeline's row against changes until the transaction ends.  Returns
 * false if the row was deleted, or if the settings or the owner were changed
 * since *pipeline was loaded.  The lock is kept then, and the caller must load
 * the pipeline again: what it has concluded from the old settings may be
 * wrong.
 */
extern bool pipeline_lock(const Pipeline *pipeline);

/*
 * Save the settings whose numbers (pipeline_setting.h) are in named.  The
 * others are left alone, as another session may have changed them.  Workers
 * that run with the old settings are replaced.
 */
extern void pipeline_save(const Pipeline *pipeline, const Bitmapset *named);

/*
 * Delete a pipeline, if it still exists, with its positions, dead letters,
 * gaps, history, loads and anchor.
 */
extern void pipeline_delete(const char *name);

/* The names of all pipelines, char *, sorted. */
extern List *pipeline_names(void);

/* Set whether workers should run the pipeline; clears its last failures. */
extern void pipeline_enable(const char *name, bool enabled);

/*
 * Set the start position for a pipeline that begins anew, after
 * checkpoint_clear().  Also forgets which stream the pipeline has read, so
 * that it may read another one.
 */
extern void pipeline_set_start(const char *name, const StreamPosition *start);

/*
 * Note that the pipeline runs in this database from now on, and the name of
 * its owner, who is the owner of its anchor.
 */
extern void pipeline_set_home(const Pipeline *pipeline);

/* Make pipeline->owner the owner of the pipeline. */
extern void pipeline_set_owner(const Pipeline *pipeline);

/* Increment the generation, so that running workers are replaced. */
extern void pipeline_touch(const char *name);

#endif							/* TRACKING_LEDGER_PIPELINE_CATALOG_H */
