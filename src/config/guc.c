/*
 * guc.c
 *	  The settings of the extension.
 */
#include "postgres.h"

#include "config/guc.h"
#include "ledger/pipeline_setting.h"
#include "miscadmin.h"
#include "utils/guc.h"

static int	scan_memory_kb = 32 * 1024;
static int	batch_history = 1000;
static int	shard_list_interval_ms = 60 * 1000;
static bool run_pipelines = true;

static int	max_workers = -1;
static int	max_workers_per_role = -1;
static int	max_workers_per_pipeline = 4;
static int	max_pipelines_per_role = 100;
static int	max_batch_bytes = 64 * 1024 * 1024;

/*
 * Define limits of what pipelines take of the server.  They are PGC_SIGHUP, so
 * that only the administrator of the server can set them, and every process
 * sees the same values.
 */
static void
define_limits(void)
{
	DefineCustomIntVariable("tracking_fdw.max_workers",
							"Most workers of pipelines that run at once in the server.",
							"-1 is half of max_worker_processes, which leaves room for launcher, supervisors and others.",
							&max_workers,
							-1, -1, GUC_MAX_WORKERS,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("tracking_fdw.max_workers_per_role",
							"Most workers that run at once for pipelines of one role.",
							"Superusers are exempt. -1 is the value of max_workers.",
							&max_workers_per_role,
							-1, -1, GUC_MAX_WORKERS,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("tracking_fdw.max_workers_per_pipeline",
							"Most workers of one pipeline.",
							"Pipelines of superusers are exempt.",
							&max_workers_per_pipeline,
							4, 1, PIPELINE_MAX_WORKERS,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("tracking_fdw.max_pipelines_per_role",
							"Most pipelines that a role may have in a database.",
							"Superusers are exempt.",
							&max_pipelines_per_role,
							100, 0, 1000000,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("tracking_fdw.max_batch_bytes",
							"Largest batch_bytes of a pipeline.",
							"Pipelines of superusers are exempt.",
							&max_batch_bytes,
							64 * 1024 * 1024, 64 * 1024, 1024 * 1024 * 1024,
							PGC_SIGHUP, GUC_UNIT_BYTE,
							NULL, NULL, NULL);
}

void
guc_init(void)
{
	DefineCustomIntVariable("tracking_fdw.scan_memory",
							"Memory that reading ahead may take in a scan of a stream.",
							"One answer of the service is always allowed, of up to about 14 MB. A record may take as much while it is decoded.",
							&scan_memory_kb,
							32 * 1024, 1024, 1024 * 1024,
							PGC_USERSET, GUC_UNIT_KB,
							NULL, NULL, NULL);
	DefineCustomIntVariable("tracking_fdw.batch_history",
							"Batches of each pipeline that tracking.batch keeps.",
							"0 keeps no history.",
							&batch_history,
							1000, 0, 1000000,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("tracking_fdw.shard_list_interval",
							"How often a pipeline asks its stream for new shards.",
							"Children of a shard that was split or merged are mostly found sooner, at its end.",
							&shard_list_interval_ms,
							60 * 1000, 100, 24 * 3600 * 1000,
							PGC_USERSET, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomBoolVariable("tracking_fdw.run_pipelines",
							 "Whether pipelines run on this server.",
							 "Set it to off in copies that are not to do what the original does, such as a clone of its files.",
							 &run_pipelines,
							 true,
							 PGC_SIGHUP, 0,
							 NULL, NULL, NULL);
	define_limits();
	MarkGUCPrefixReserved("tracking_fdw");
}

size_t
guc_scan_memory_bytes(void)
{
	return (size_t) scan_memory_kb * 1024;
}

bool
guc_run_pipelines(void)
{
	return run_pipelines;
}

int
guc_batch_history(void)
{
	return batch_history;
}

long
guc_shard_list_interval_ms(void)
{
	return shard_list_interval_ms;
}

int
guc_max_workers(void)
{
	return max_workers >= 0 ? max_workers : Max(max_worker_processes / 2, 1);
}

int
guc_max_workers_per_role(void)
{
	return max_workers_per_role >= 0 ? max_workers_per_role :
		guc_max_workers();
}

int
guc_max_workers_per_pipeline(void)
{
	return max_workers_per_pipeline;
}

int
guc_max_pipelines_per_role(void)
{
	return max_pipelines_per_role;
}

int64
guc_max_batch_bytes(void)
{
	return max_batch_bytes;
}
