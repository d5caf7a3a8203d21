/*
 * guc.c
 *	  The settings of the extension.
 */
#include "postgres.h"

#include "config/guc.h"
#include "utils/guc.h"

static int	scan_memory_kb = 32 * 1024;
static int	batch_history = 1000;

void
guc_init(void)
{
	DefineCustomIntVariable("tracking_fdw.scan_memory",
							"Memory that reading ahead may take in a scan of a stream.",
							"One answer of the service is always allowed, of up to about 14 MB.",
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
