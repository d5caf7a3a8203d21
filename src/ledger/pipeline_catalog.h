/*
 * pipeline_catalog.h
 *	  Definitions of pipelines, in tracking.pipeline.
 *
 * Every function runs in the caller's transaction, with the rights of the
 * extension's owner: who may do what is for the SQL functions to check.
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
	char	   *source_key;		/* column that a table is read by; NULL: the
								 * source is a stream */
	Oid			target;			/* InvalidOid if there is a command */
	char	   *command;		/* NULL if there is a target */
	char	   *search_path;	/* for the command */
	StreamPosition start;		/* of shards at the first start */
	int			batch_rows;
	int64		batch_bytes;
	int64		max_latency_ms;
	int			workers;		/* as wanted */
	int			granted_workers;	/* among which the shards are spread */
	bool		stop_on_error;	/* else dead letters */
	int			max_errors;		/* rejects a batch, before it stops; -1: any */
	double		max_error_ratio;	/* of recent records; 1: any */
	bool		stop_on_gap;	/* else a gap is recorded */
	char	   *pause_between;	/* time of day without batches, or NULL */
	bool		enabled;
	int64		generation;		/* counts changes */
	int			failures;		/* in a row */
	TimestampTz stream_created; /* when the stream was that it reads; 0:
								 * unknown */
	char	   *store_table;	/* keeps the positions in a store; NULL: none */
	uint64		system_identifier;	/* of the server that it runs in */
	Oid			database;		/* that it runs in */
	int			shards_known;	/* positions that it has made */
	bool		is_unreachable; /* some of the source could not be read */
	char	   *owner_name;		/* of owner when it was settled here */
	bool		watched;		/* its first documents, since it was changed */
} Pipeline;

/* By name or by id, in the current context; NULL if there is none. */
extern Pipeline *pipeline_load(const char *name);
extern Pipeline *pipeline_load_id(int32 id);

/* How many a role has in this database, by all that is committed. */
extern int	pipeline_count(Oid owner);

/* Add a pipeline; id and generation are set by the table, anchor here. */
extern void pipeline_insert(Pipeline *pipeline);

/*
 * Lock the pipeline's row against changes until the transaction ends.  False if
 * the row is gone, or its settings or its owner are no longer those that were
 * loaded: the lock is kept, and the caller is to load the pipeline again, as
 * what it found out from the old settings may not hold.
 */
extern bool pipeline_lock(const Pipeline *pipeline);

/*
 * Save the settings whose numbers (pipeline_setting.h) are in named, and no
 * others, as somebody else may have changed those.  Workers with the old ones
 * are replaced.
 */
extern void pipeline_save(const Pipeline *pipeline, const Bitmapset *named);

/* Delete a pipeline, if it is still there, with all that belongs to it. */
extern void pipeline_delete(const char *name);

/* All pipelines' names, char *, in their order. */
extern List *pipeline_names(void);

/* Change whether a worker should run; forgets the last failures. */
extern void pipeline_enable(const char *name, bool enabled);

/*
 * Begin anew: change where shards are begun that are not known yet, whatever
 * stream has them.
 */
extern void pipeline_set_start(const char *name, const StreamPosition *start);

/*
 * The pipeline runs in this database from now on, and its owner is who owns
 * its anchor.
 */
extern void pipeline_set_home(const Pipeline *pipeline);

/* It belongs to pipeline->owner from now on. */
extern void pipeline_set_owner(const Pipeline *pipeline);

/* Note a change, so that a running worker is replaced. */
extern void pipeline_touch(const char *name);

#endif							/* TRACKING_LEDGER_PIPELINE_CATALOG_H */
