/*
 * runner_tip.c
 *	  Shows how far a process that runs a pipeline has read its source.
 */
#include "postgres.h"

#include "base/compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pipeline/runner_tip.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(tracking_runner_tips);

/*
 * A backend's progress parameters are not cleared for the next backend that
 * uses the same entry, and the server's own commands write them, too.  So a
 * mark and the process id are written with the time.
 */
#define TIP_MARK INT64CONST(0x74726b6674697000)

enum
{
	PARAM_MARK, PARAM_PID, PARAM_TIP, N_PARAMS
};

void
runner_tip_report(TimestampTz tip_at)
{
	static const int params[N_PARAMS] = {PARAM_MARK, PARAM_PID, PARAM_TIP};
	int64		values[N_PARAMS] = {TIP_MARK, MyProcPid, tip_at};

	pgstat_progress_update_multi_param(N_PARAMS, params, values);
}

Datum
tracking_runner_tips(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			n = pgstat_fetch_stat_numbackends();

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 1; i <= n; i++)
	{
		const PgBackendStatus *status = compat_backend_status(i);
		const int64 *told = status->st_progress_param;
		bool		nulls[] = {false, false};
		Datum		values[] = {
			Int32GetDatum(status->st_procpid),
			TimestampTzGetDatum(told[PARAM_TIP])
		};

		if (status->st_procpid > 0 && told[PARAM_MARK] == TIP_MARK &&
			told[PARAM_PID] == status->st_procpid && told[PARAM_TIP] != 0)
			tuplestore_putvalues(result->setResult, result->setDesc, values,
								 nulls);
	}
	return (Datum) 0;
}
