/*
 * guc.h
 *	  The settings tracking_fdw.*, which are in guc.c.
 */
#ifndef TRACKING_CONFIG_GUC_H
#define TRACKING_CONFIG_GUC_H

#include "postgres.h"

/* The largest value of tracking_fdw.max_workers */
#define GUC_MAX_WORKERS 1024

/* Define the settings; once, from _PG_init. */
extern void guc_init(void);

/* Bytes that a scan keeps of answers, including those that are arriving. */
extern size_t guc_scan_memory_bytes(void);

/* Rows that tracking.batch keeps of each pipeline; 0: no history. */
extern int	guc_batch_history(void);

/* tracking_fdw.run_pipelines */
extern bool guc_run_pipelines(void);

/* The time between two listings of a stream's shards by a pipeline. */
extern long guc_shard_list_interval_ms(void);

/*
 * Limits of workers: of all pipelines of the server, of all pipelines of a
 * role, and of one pipeline.  Superusers are exempt from the latter two.
 */
extern int	guc_max_workers(void);
extern int	guc_max_workers_per_role(void);
extern int	guc_max_workers_per_pipeline(void);

/*
 * Limits of roles other than superusers: pipelines in a database, and the
 * batch_bytes of each.
 */
extern int	guc_max_pipelines_per_role(void);
extern int64 guc_max_batch_bytes(void);

#endif							/* TRACKING_CONFIG_GUC_H */
