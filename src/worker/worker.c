/*
 * worker.c
 *	  What launcher, supervisors and workers have in common.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "worker/worker.h"

/* The first and the longest wait between a failure and the next try. */
#define RETRY_BASE_MS 1000
#define RETRY_CAP_MS 60000

/*
 * After so many failures in a row, which take some five minutes, the pipeline
 * is tried only every PARK_MS: the cause is likely to last, and must not be
 * burdened with an attempt every minute.  The view pipeline_status has the
 * number, too.
 */
#define PARK_FAILURES 10
#define PARK_MS 300000

/* How often statistics are reported: as often as in the server's backends. */
#define STAT_INTERVAL_MS 1000

static bool has_launcher = false;

void
worker_init(BackgroundWorker *worker, const char *type, const char *function)
{
	memset(worker, 0, sizeof(BackgroundWorker));
	snprintf(worker->bgw_name, BGW_MAXLEN, "%s", type);
	snprintf(worker->bgw_type, BGW_MAXLEN, "%s", type);
	worker->bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker->bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker->bgw_restart_time = BGW_NEVER_RESTART;
	snprintf(worker->bgw_library_name, sizeof(worker->bgw_library_name),
			 "tracking_fdw");
	snprintf(worker->bgw_function_name, BGW_MAXLEN, "%s", function);
}

void
worker_register_launcher(void)
{
	BackgroundWorker worker;

	worker_init(&worker, LAUNCHER_TYPE, "tracking_fdw_launcher_main");
	worker.bgw_restart_time = 1;
	RegisterBackgroundWorker(&worker);
	has_launcher = true;
}

bool
worker_has_launcher(void)
{
	return has_launcher;
}

void
worker_begin(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
}

void
worker_commit(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
	worker_report_stat();
}

/*
 * pgstat_report_stat() holds statistics back if too little time has passed
 * since the last report, and takes the end of the last transaction for the
 * current time.  In an idle worker that time stands still, so they would be
 * held back for ever.  So this measures the time itself, and forces the
 * report.
 */
void
worker_report_stat(void)
{
	static int64 left_ms = 0;	/* since when some are held back, or 0 */
	int64		now_ms = clock_now_ms();
	bool		is_time = left_ms != 0 && now_ms - left_ms >= STAT_INTERVAL_MS;

	if (pgstat_report_stat(is_time) == 0)
		left_ms = 0;
	else if (left_ms == 0)
		left_ms = now_ms;
}

bool
worker_reload_config(void)
{
	if (!ConfigReloadPending)
		return false;
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	return true;
}

int64
worker_retry_ms(int failures)
{
	if (failures + 1 >= PARK_FAILURES)
		return PARK_MS;
	return RETRY_BASE_MS / 2 +
		backoff_delay_ms(failures, RETRY_BASE_MS, RETRY_CAP_MS,
						 backoff_random());
}
