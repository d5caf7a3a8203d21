/*
 * pipeline_home.c
 *	  The database that a pipeline runs in; in a copy of it, it does not run.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "base/compat.h"
#include "config/guc.h"
#include "ledger/checkpoint.h"
#include "ledger/pipeline_note.h"
#include "miscadmin.h"
#include "pipeline/pipeline_failure.h"
#include "pipeline/pipeline_home.h"
#include "utils/builtins.h"

bool
pipeline_home_is(uint64 system_identifier, Oid database)
{
	return system_identifier == GetSystemIdentifier() &&
		database == MyDatabaseId;
}

static bool
is_home(const Pipeline *pipeline)
{
	return pipeline_home_is(pipeline->system_identifier, pipeline->database);
}

void
pipeline_home_check(const Pipeline *pipeline)
{
	if (!is_home(pipeline))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pipeline \"%s\" was restored from another database and does not run in this one",
						pipeline->name),
				 errdetail("The database that it came from may still be running it."),
				 errhint("To let it run here: SELECT tracking.start_pipeline(%s); all that were restored: SELECT tracking.start_restored().",
						 quote_literal_cstr(pipeline->name))));
	if (!guc_run_pipelines())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pipelines do not run on this server"),
				 errhint("The setting tracking_fdw.run_pipelines is off.")));
}

bool
pipeline_home_settle(const Pipeline *pipeline, int elevel)
{
	const char *owner = GetUserNameFromId(pipeline->owner, true);

	if (owner == NULL ||
		(!is_home(pipeline) && strcmp(owner, pipeline->owner_name) != 0))
	{
		ereport(elevel,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pipeline \"%s\" was owned by role \"%s\", which does not own it here",
						pipeline->name, pipeline->owner_name),
				 errdetail("Its SQL would run with the rights of %s.",
						   owner == NULL ? "nobody" : owner),
				 errhint("Name its owner in this database: SELECT tracking.alter_pipeline(%s, owner => '...').",
						 quote_literal_cstr(pipeline->name))));
		return false;
	}
	pipeline_set_home(pipeline);
	return true;
}

void
pipeline_home_check_positions(const Pipeline *pipeline)
{
	const char *name = quote_literal_cstr(pipeline->name);
	int			n = checkpoint_count(pipeline->name);

	if (n >= pipeline->shards_known)
		return;
	ereport_domain(ERROR, PIPELINE_FAILURE_FINAL,
				   (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("pipeline \"%s\" has lost its positions", pipeline->name),
					errdetail("It knew %d shards, and tracking.checkpoint has %d of them. A restore that failed may have left it so.",
							  pipeline->shards_known, n),
					errhint("Restore tracking.checkpoint. Or begin anew, which applies again what was applied before: SELECT tracking.reset_pipeline(%s, 'trim_horizon'), tracking.start_pipeline(%s).",
							name, name)));
}

void
pipeline_home_note_positions(const Pipeline *pipeline)
{
	pipeline_set_shards_known(pipeline->id, checkpoint_count(pipeline->name));
}
