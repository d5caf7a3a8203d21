/*
 * guc.c
 *	  The settings of the extension.
 */
#include "postgres.h"

#include "config/guc.h"
#include "utils/guc.h"

static int	scan_memory_kb = 32 * 1024;
static int	batch_history = 1000;
static int	shard_list_interval_ms = 60 * 1000;

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
	MarkGUCPrefixReserved("tracking_fdw");
}

size_t
guc_scan_memory_bytes(void)
{
	return (size_t) scan_memory_kb * 1024;
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
