/*
 * guc.h
 *	  Settings under tracking_fdw.
 */
#ifndef TRACKING_CONFIG_GUC_H
#define TRACKING_CONFIG_GUC_H

#include "postgres.h"

/* The largest that tracking_fdw.max_workers can be set to */
#define GUC_MAX_WORKERS 1024

/* Define the settings; once, from _PG_init. */
extern void guc_init(void);

/* Bytes that a SELECT keeps of answers, and of those on their way. */
extern size_t guc_scan_memory_bytes(void);

/* Rows that tracking.batch keeps of each pipeline; 0: no history. */
extern int	guc_batch_history(void);

/* tracking_fdw.run_pipelines */
extern bool guc_run_pipelines(void);

/* Between two listings of a stream's shards by a pipeline. */
extern long guc_shard_list_interval_ms(void);

/*
 * Limits of workers: of all pipelines of the server, and, superusers exempt, of
 * the pipelines of a role and of a pipeline.
 */
extern int	guc_max_workers(void);
extern int	guc_max_workers_per_role(void);
extern int	guc_max_workers_per_pipeline(void);

/* Of who is no superuser: pipelines in a database, and their batch_bytes. */
extern int	guc_max_pipelines_per_role(void);
extern int64 guc_max_batch_bytes(void);

#endif							/* TRACKING_CONFIG_GUC_H */
