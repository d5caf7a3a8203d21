/*
 * pipeline_pause.c
 *	  The time of day (pause_between) at which a pipeline applies no batches.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "ledger/pipeline_note.h"
#include "pgstat.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"
#include "worker/pipeline_pause.h"
#include "worker/worker.h"

/* How often to look again: the clock or the time zone may have been set. */
#define PAUSE_LOOK_MS 500

#define PAUSE_HINT \
	"Use two times of the day such as \"02:00-04:00\"; the second may be that of the next day."

typedef struct PauseWindow
{
	TimeADT		from;
	TimeADT		to;				/* of the next day, if it is before from */
} PauseWindow;

static uint32 pause_wait_event = 0;

static void
parse_error_callback(void *window)
{
	errcontext("pause_between \"%s\"", (const char *) window);
	errhint(PAUSE_HINT);
}

static TimeADT
parse_time(const char *text)
{
	return DatumGetTimeADT(DirectFunctionCall3(time_in, CStringGetDatum(text),
											   ObjectIdGetDatum(InvalidOid),
											   Int32GetDatum(-1)));
}

static void
parse_window(const char *text, PauseWindow *window)
{
	const char *dash = strchr(text, '-');
	char		from[MAXDATELEN + 1];
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = parse_error_callback,
		.arg = unconstify(char *, text)
	};

	error_context_stack = &callback;
	if (dash == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for pause_between: \"%s\"", text)));
	strlcpy(from, text, Min(dash - text + 1, (int) sizeof(from)));
	window->from = parse_time(from);
	window->to = parse_time(dash + 1);
	error_context_stack = callback.previous;
}

void
pipeline_pause_check(const char *text)
{
	PauseWindow window;

	parse_window(text, &window);
	if ((window.to - window.from) % USECS_PER_DAY == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pause_between begins and ends at the same time: \"%s\"",
						text),
				 errhint("To pause a pipeline all day: tracking.stop_pipeline().")));
}

/* The time of day in the session's time zone. */
static TimeADT
time_of_day(TimestampTz now)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			zone;

	if (timestamp2tm(now, &zone, &tm, &fsec, NULL, session_timezone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return ((tm.tm_hour * MINS_PER_HOUR + tm.tm_min) * SECS_PER_MINUTE +
			tm.tm_sec) * USECS_PER_SEC + fsec;
}

bool
pipeline_is_paused(const Pipeline *pipeline, TimestampTz *until)
{
	TimestampTz now = GetCurrentTimestamp();
	PauseWindow window;
	TimeADT		time;

	if (pipeline->pause_between == NULL)
		return false;
	parse_window(pipeline->pause_between, &window);
	time = time_of_day(now);
	if (window.from <= window.to ?
		time < window.from || time >= window.to :
		time < window.from && time >= window.to)
		return false;
	*until = now + window.to - time + (time < window.to ? 0 : USECS_PER_DAY);
	return true;
}

static void
report_pause(const Pipeline *pipeline, TimestampTz until,
			 const PipelineTransactions *transactions)
{
	MemoryContext old = CurrentMemoryContext;
	char		activity[256];

	transactions->begin();
	pipeline_set_paused_until(pipeline->id, until);
	transactions->commit();
	MemoryContextSwitchTo(old);
	if (until == 0)
		return;
	snprintf(activity, sizeof(activity), "pipeline \"%s\": paused until %s",
			 pipeline->name, timestamptz_to_str(until));
	pgstat_report_activity(STATE_IDLE, activity);
}

void
pipeline_pause_wait(const Pipeline *pipeline,
					const PipelineTransactions *transactions)
{
	static TimestampTz reported = -1;	/* -1: the row may have any value */
	TimestampTz until;

	while (pipeline_is_paused(pipeline, &until))
	{
		if (until != reported)
			report_pause(pipeline, until, transactions);
		reported = until;
		clock_wait(Min(TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
													   until) + 1,
					   PAUSE_LOOK_MS),
				   compat_wait_event(&pause_wait_event, "TrackingFdwPause"));
		(void) worker_reload_config();
	}
	if (reported != 0)
		report_pause(pipeline, 0, transactions);
	reported = 0;
}
