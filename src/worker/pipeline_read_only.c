/*
 * pipeline_read_only.c
 *	  Pipelines whose owner has default_transaction_read_only on.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "ledger/catalog.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/builtins.h"
#include "worker/pipeline_lock.h"
#include "worker/pipeline_read_only.h"
#include "worker/worker.h"

/* How often to look whether the settings were changed. */
#define LOOK_MS 1000

static uint32 read_only_wait_event = 0;

/* What ALTER DATABASE and ALTER ROLE have set for new sessions of a role. */
static CatalogStatement settings_statement = {
	"select coalesce(pg_catalog.string_agg(s.setconfig::pg_catalog.text, ' '"
	" order by s.setdatabase, s.setrole), '')"
	" from pg_catalog.pg_db_role_setting s"
	" where s.setdatabase operator(pg_catalog.=) any (array[0, $1])"
	" and s.setrole operator(pg_catalog.=) any (array[0, $2])",
	2, {OIDOID, OIDOID}, NULL
};

bool
pipeline_is_read_only(void)
{
	return DefaultXactReadOnly;
}

/*
 * The result of settings_statement, in the current context.  Called without a
 * transaction.
 */
static char *
settings(Oid role)
{
	MemoryContext cxt = CurrentMemoryContext;
	Datum		values[] = {
		ObjectIdGetDatum(MyDatabaseId),
		ObjectIdGetDatum(role)
	};
	CatalogAccess access;
	char	   *text;

	worker_begin();
	catalog_begin(&access);
	catalog_execute(&settings_statement, values, NULL);
	text = catalog_text(cxt, 0, 1);
	catalog_end(&access);
	worker_commit();
	MemoryContextSwitchTo(cxt);
	return text;
}

static bool
are_settings(Oid role, const char *before)
{
	char	   *now = settings(role);
	bool		same = strcmp(before, now) == 0;

	pfree(now);
	return same;
}

/*
 * Say why the pipeline does not run: each worker in pg_stat_activity, and the
 * first one in the log.
 */
static void
report(const Pipeline *pipeline, int slot)
{
	char		activity[256];
	const char *role;
	const char *database;

	snprintf(activity, sizeof(activity),
			 "pipeline \"%s\": waiting, as default_transaction_read_only is on",
			 pipeline->name);
	pgstat_report_activity(STATE_IDLE, activity);
	if (slot > 0)
		return;
	worker_begin();
	role = quote_identifier(GetUserNameFromId(pipeline->owner, false));
	database = quote_identifier(get_database_name(MyDatabaseId));
	ereport(LOG,
			(errmsg("pipeline \"%s\" does not run while its owner's transactions are read-only",
					pipeline->name),
			 errdetail("default_transaction_read_only is on for the server, the database or the role."),
			 errhint("To let it run nevertheless: ALTER ROLE %s IN DATABASE %s SET default_transaction_read_only = off.",
					 role, database)));
	worker_commit();
}

bool
pipeline_read_only_wait(const Pipeline *pipeline, int slot)
{
	char	   *before;
	bool		same = true;

	if (!pipeline_is_read_only())
		return true;
	before = settings(pipeline->owner);
	report(pipeline, slot);
	pipeline_lock_read_only(pipeline->id);
	while (same && pipeline_is_read_only())
	{
		clock_wait(LOOK_MS, compat_wait_event(&read_only_wait_event,
											  "TrackingFdwReadOnly"));
		(void) worker_reload_config();
		same = are_settings(pipeline->owner, before);
	}
	pipeline_unlock_read_only(pipeline->id);
	pfree(before);
	return same;
}
