/*
 * guc.h
 *	  Settings under tracking_fdw.
 */
#ifndef TRACKING_CONFIG_GUC_H
#define TRACKING_CONFIG_GUC_H

#include "postgres.h"

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

#endif							/* TRACKING_CONFIG_GUC_H */
